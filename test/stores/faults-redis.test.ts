// Faults between the server and one Redis, under load.

import { after, before, describe } from 'node:test'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { faultTests } from '../support/fault-report.ts'
import { deadServer, networkFaults } from '../support/network-faults.ts'
import { storeServer, type StoreServer } from '../support/store-servers.ts'

describe('Redis under load', () => {
  let server: StoreServer
  let proxy: FaultProxy
  before(async () => {
    server = await storeServer('redis')
    proxy = await startFaultProxy(server.port)
  })
  after(async () => {
    await proxy?.close()
    await server?.stop()
  })

  const faults = faultTests()
  const url = (): string => server.url(proxy.port)
  for (const fault of networkFaults(() => proxy)) faults.test('redis', url, fault)
  faults.test(
    'redis',
    url,
    deadServer(() => server),
  )
})

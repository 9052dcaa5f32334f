// Faults between the server and PostgreSQL, under load.

import { after, before, describe } from 'node:test'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { faultTests } from '../support/fault-report.ts'
import { deadServer, networkFaults } from '../support/network-faults.ts'
import { storeServer, type StoreServer } from '../support/store-servers.ts'

describe('PostgreSQL under load', () => {
  let server: StoreServer
  let proxy: FaultProxy
  before(async () => {
    server = await storeServer('postgres')
    proxy = await startFaultProxy(server.port)
  })
  after(async () => {
    await proxy?.close()
    await server?.stop()
  })

  const faults = faultTests()
  const url = (): string => server.url(proxy.port)
  for (const fault of networkFaults(() => proxy)) faults.test('postgres', url, fault)
  faults.test(
    'postgres',
    url,
    deadServer(() => server),
  )
  faults.test('postgres', url, {
    name: 'restarted in an orderly way',
    isFelt: 'maybe',
    run: async () => {
      await server.restart()
      return performance.now()
    },
  })
})

// The link that a configuration asks for.

import type { RedisAddress, RedisConfig } from './config.ts'
import { ClusterLink } from './cluster-link.ts'
import type { RedisDriver } from './driver.ts'
import { SingleLink, type RedisLink, type RedisLinkOptions } from './link.ts'
import { RedisNode } from './node.ts'
import { SentinelLink } from './sentinel-link.ts'

export function createLink(driver: RedisDriver, config: RedisConfig, options: RedisLinkOptions): RedisLink {
  if (config.kind === 'sentinel') return new SentinelLink(driver, config, options)
  if (config.kind === 'cluster') return new ClusterLink(driver, config, options)
  const { timeoutMs, ...tracking } = options
  const { credentials, tls, database, wait, addresses } = config
  const [address] = addresses as readonly [RedisAddress] // parseRedisUrl allows one
  const settings = { credentials, tls, database, timeoutMs }
  return new SingleLink(new RedisNode({ driver, settings, locate: () => address, replicas: wait, ...tracking }))
}

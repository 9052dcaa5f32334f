// What PocketBase says about itself when we start: what is missing there, and what to do about it.

import { formatDuration } from './lib/duration.ts'
import { retry, type Retrying } from './lib/retry.ts'
import { PROBE_ADDRESS } from './pocketbase/report.ts'
import type { Config } from './config.ts'
import type { Report } from './pocketbase/port.ts'
import type { Services } from './services.ts'

/** What the check finds, in the order of the log. */
export interface Finding {
  readonly kind: 'hooks' | 'profiles' | 'roles' | 'token_life' | 'address'
  readonly message: string
}

/** Asks PocketBase for its report until it answers once, logs it, and calls `noProfiles` where there are none. */
export function checkAtStart(services: Services, noProfiles: () => void): Retrying {
  const { config, logger, pocketbase } = services
  const check = async (): Promise<void> => {
    const report = await pocketbase.report()
    logger.info({ version: report.version, hooks: report.hooks }, 'PocketBase is there')
    const findings = findAtStart(report, config)
    if (findings.some(({ kind }) => kind === 'profiles')) noProfiles()
    for (const { kind, message } of findings) logger.warn({ found: kind }, message)
  }
  const failed = (error: unknown, count: number): void => {
    // Once is enough: requests report an outage by themselves.
    if (count === 1)
      logger.error({ err: error, url: config.pocketbase.url }, 'PocketBase cannot be reached; trying again')
  }
  return retry(check, { waitMs: config.pocketbase.timeoutMs, failed })
}

/** What is worth a warning. */
export function findAtStart(report: Report, config: Pick<Config, 'profile' | 'session'>): readonly Finding[] {
  const findings: Finding[] = []
  if (!report.hooks) {
    findings.push({
      kind: 'hooks',
      message:
        'PocketBase runs without our hooks: user and profile are made one after the other, and token life is unknown',
    })
  }
  if (config.profile !== false && !report.profiles) {
    findings.push({
      kind: 'profiles',
      message:
        'PocketBase has no such profile collection: profiles are off, and what a registration sends of one is not kept',
    })
  }
  if (!report.roles) {
    findings.push({ kind: 'roles', message: 'users in PocketBase have no role field: requireRole() lets nobody in' })
  }
  const longest = Math.max(config.session.idleTimeoutMs, config.session.rememberIdleTimeoutMs)
  if (report.tokenLifeMs !== null && report.tokenLifeMs < longest) {
    findings.push({ kind: 'token_life', message: tokenLifeMessage(report.tokenLifeMs, longest) })
  }
  if (report.seenIp !== null && report.seenIp !== PROBE_ADDRESS) {
    findings.push({
      kind: 'address',
      message: 'PocketBase does not see the addresses of browsers: add X-Real-IP to its trusted proxy headers',
    })
  }
  return findings
}

function tokenLifeMessage(lifeMs: number, longestMs: number): string {
  const [life, longest] = [formatDuration(lifeMs), formatDuration(longestMs)]
  return `PocketBase tokens live ${life}, the longest idle timeout is ${longest}: sessions end with their token`
}

// npm run bench -- --profile: where the time of a signed-in GET /me goes.

import { globSync, mkdirSync, readFileSync } from 'node:fs'
import type { Backends } from './backends.ts'
import { summarizeProfile, type CpuProfile, type SelfTime } from './cpu-profile.ts'
import type { Section } from './figure.ts'
import { startServer } from './measured-server.ts'
import { MEMORY, type Subject } from './subjects.ts'
import { runSlice } from './wrk.ts'

const SECONDS = 8
const SHOWN = 25

export async function profileHotPath(backends: Backends, subject: Subject = MEMORY): Promise<Section> {
  const folder = backends.file('profile')
  mkdirSync(folder)
  const task = {
    sessions: subject.sessions,
    store: backends.storeOf({ ...subject, id: 'profile' }),
    cookieFile: backends.file('profile.txt'),
  }
  const server = await startServer(subject.program, task, { flags: ['--cpu-prof', `--cpu-prof-dir=${folder}`] })
  try {
    await runSlice(server, { path: '/me', seconds: SECONDS, after: 0 })
  } finally {
    await server.finish()
  }
  const [file] = globSync(`${folder}/*.cpuprofile`)
  if (file === undefined) throw new Error('Node wrote no profile')
  const { owners, functions } = summarizeProfile(
    JSON.parse(readFileSync(file, 'utf8')) as CpuProfile,
    (SECONDS - 1) * 1000,
  )
  return {
    title: `CPU profile of a signed-in GET /me (${subject.backend}), self time`,
    figures: [],
    lines: [...table('whose code', owners), '', ...table('function', functions.slice(0, SHOWN))],
  }
}

function table(what: string, times: readonly SelfTime[]): readonly string[] {
  const rows = times
    .filter(({ share }) => share >= 0.002)
    .map(({ name, share }) => [`${(share * 100).toFixed(1)} %`, name])
  return [['share', what], ['---:', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

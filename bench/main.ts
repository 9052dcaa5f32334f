// npm run bench: throughput beside bare Express and the peers, and what else has a target.
//   npm run bench -- --quick                   under five minutes
//   npm run bench -- --only rows,latency       some parts only
//   npm run bench -- --users 50,200,1000       concurrent users on the whole product
//   npm run bench -- --profile                 where the time of a request goes

import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { aboutMachine } from './about-machine.ts'
import { startBackends, type Backends } from './backends.ts'
import { toChart } from './chart.ts'
import { judge, formatTarget, formatValue } from './figure.ts'
import { leaveServerCore, pathOf } from './measured-server.ts'
import { FULL, measureParts, PARTS, QUICK, type Part } from './parts.ts'
import { profileHotPath } from './profile.ts'
import { figuresOf, toMarkdown, type Report } from './report.ts'
import { fetchRequirements } from './requirements.ts'
import { measureUsers } from './users.ts'

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    users: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  await fetchRequirements(print)
  leaveServerCore()
  const needed = values.profile || values.users !== undefined ? [] : (['redis', 'postgres'] as const)
  const backends = await startBackends(new Set(needed))
  stopOnSignal(backends)
  try {
    if (values.profile) runAlone('profile', await profileHotPath(backends))
    else if (values.users !== undefined) await runUsers(backends, values.users)
    else await runParts(backends)
  } finally {
    await backends.stop()
  }
}

/** What is measured ends by itself when this process does; Redis and PostgreSQL would not. */
function stopOnSignal(backends: Backends): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void backends.stop().finally(() => process.exit(1)))
  }
}

async function runParts(backends: Backends): Promise<void> {
  const started = performance.now()
  const size = values.quick ? QUICK : FULL
  const rounds = Number(values.rounds ?? size.rounds)
  const seconds = Number(values.seconds ?? size.seconds)
  const parts = partsOf(values.only) ?? size.parts
  const measured = await measureParts(new Set(parts), { ...size, rounds, seconds, backends, print })
  const minutes = ((performance.now() - started) / 60_000).toFixed(1)
  const about = `${aboutMachine()} ${rounds} rounds of ${seconds} s a slice; ${minutes} minutes in all.`
  const report: Report = { about, ...measured }
  const name = values.quick ? 'quick' : 'full'
  // Some parts only are for trying something out.
  if (values.only === undefined) {
    save(`${name}.md`, toMarkdown(report))
    if (report.rounds !== null) save(`${name}.svg`, toChart(report.rounds.rows))
  }
  print(`\n${toMarkdown(report)}`)
  conclude(report)
}

async function runUsers(backends: Backends, counts: string): Promise<void> {
  const numbers = counts.split(',').map(Number)
  if (!numbers.every((count) => Number.isInteger(count) && count > 0)) throw new Error('--users 50,200,1000')
  runAlone('users', await measureUsers({ backends, counts: numbers, print }))
}

function runAlone(name: string, section: Report['sections'][number]): void {
  const report: Report = { about: aboutMachine(), rounds: null, sections: [section] }
  save(`${name}.md`, toMarkdown(report))
  print(`\n${toMarkdown(report)}`)
}

/** Fails where a target is missed by more than a tenth. */
function conclude(report: Report): void {
  const missed = figuresOf(report).filter((figure) => judge(figure) === 'missed')
  for (const figure of missed) {
    print(`missed: ${figure.what}: ${formatValue(figure.value, figure.unit)}, target ${formatTarget(figure)}`)
  }
  if (missed.length > 0) process.exitCode = 1
  else print('Every target is met, or missed by less than a tenth.')
}

function partsOf(only: string | undefined): readonly Part[] | undefined {
  if (only === undefined) return undefined
  return only.split(',').map((name) => {
    const part = PARTS.find((each) => each === name)
    if (part === undefined) throw new Error(`There is no part "${name}". The parts: ${PARTS.join(', ')}.`)
    return part
  })
}

function save(name: string, text: string): void {
  mkdirSync(pathOf('results'), { recursive: true })
  writeFileSync(pathOf(`results/${name}`), text)
  print(`written: bench/results/${name}`)
}

await main()

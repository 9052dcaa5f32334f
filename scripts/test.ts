// npm test: fetches what the tests need, runs every kind of them, and says in one line how it went.
//   npm test -- --kind unit --kind browser     some kinds only
//   npm test -- login test/unit/lib            files whose path contains one of these

import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { runCommand, stopCommandsOnSignal } from './command.ts'
import { endLeftovers, RUN_MARKER } from './leftovers.ts'
import { filesOf, TEST_KINDS, testNames, type TestKind } from './test-kinds.ts'
import { fetchNeeds, type Fetched } from './test-needs.ts'
import type { SkippedTest, TestReport } from './test-reporter.ts'

interface Job {
  readonly kind: TestKind
  readonly files: readonly string[]
}

/** No single test needs longer; one that hangs is named instead of holding up its whole kind. */
const TEST_TIMEOUT_MS = 180_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<void> {
  stopCommandsOnSignal()
  const jobs = await selectJobs()
  const fetched = await fetchNeeds(new Set(jobs.flatMap((job) => job.kind.needs)), print)
  const run = randomUUID()
  const reports: TestReport[] = []
  for (const job of jobs) {
    if (process.exitCode !== undefined) break // a signal came
    reports.push(await runJob(job, fetched, run))
  }
  summarize(reports)
}

async function selectJobs(): Promise<readonly Job[]> {
  const { values, positionals } = parseArgs({
    options: { kind: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  })
  const known = TEST_KINDS.map((kind) => kind.name)
  const unknown = values.kind.filter((name) => !known.includes(name))
  if (unknown.length > 0) fail(`There is no kind "${unknown.join('", "')}". The kinds: ${known.join(', ')}.`)
  const jobs: Job[] = []
  for (const kind of TEST_KINDS) {
    if (values.kind.length > 0 && !values.kind.includes(kind.name)) continue
    const files = await filesOf(kind, positionals)
    if (files.length > 0) jobs.push({ kind, files })
    else if (positionals.length === 0) fail(`There is no test in test/${kind.name}.`)
  }
  if (jobs.length === 0) fail(`No test file matches ${positionals.join(' ')}.`)
  return jobs
}

async function runJob({ kind, files }: Job, fetched: Fetched, run: string): Promise<TestReport> {
  print(styleText('bold', `\n── ${kind.name}: ${files.length} ${files.length === 1 ? 'file' : 'files'}`))
  const missing = kind.needs.flatMap((need) => fetched.missing.get(need) ?? [])
  if (missing.length > 0) return skipAll(files, missing.join('; '))
  const folder = await mkdtemp(join(tmpdir(), 'pbs-test-'))
  try {
    const reportFile = join(folder, 'report.json')
    const { code, timedOut } = await runCommand(process.execPath, [...nodeArguments(kind, reportFile), ...files], {
      output: 'show',
      timeoutMs: kind.limitMs,
      env: { ...process.env, ...fetched.env, [RUN_MARKER]: run },
    })
    const report = await readReport(reportFile)
    const problems = timedOut ? [`${kind.name}: not done after ${kind.limitMs / 60_000} minutes`] : []
    if (code !== 0 && !timedOut && report.failed === 0) problems.push(`${kind.name}: node --test ended with ${code}`)
    for (const left of await endLeftovers(run))
      problems.push(`${kind.name}: left running: ${left.command} (${left.pid})`)
    return { ...report, failed: report.failed + problems.length, failures: [...report.failures, ...problems] }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function nodeArguments(kind: TestKind, reportFile: string): readonly string[] {
  return [
    '--test',
    `--test-concurrency=${kind.concurrency}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/test-reporter.ts',
    `--test-reporter-destination=${reportFile}`,
  ]
}

async function readReport(file: string): Promise<TestReport> {
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text === '') return { passed: 0, failed: 1, skipped: [], failures: ['the tests wrote no report'] }
  return JSON.parse(text) as TestReport // written by test-reporter.ts
}

async function skipAll(files: readonly string[], why: string): Promise<TestReport> {
  const skipped: SkippedTest[] = []
  for (const file of files) {
    for (const name of await testNames(file)) skipped.push({ name: `${file} › ${name}`, why })
  }
  print(`not run: ${why}`)
  return { passed: 0, failed: 0, skipped, failures: [] }
}

function summarize(reports: readonly TestReport[]): void {
  const skipped = reports.flatMap((report) => report.skipped)
  const failures = reports.flatMap((report) => report.failures)
  const passed = reports.reduce((sum, report) => sum + report.passed, 0)
  if (skipped.length > 0) print(styleText('yellow', '\nSkipped:'))
  for (const { name, why } of skipped) print(`  ${name}${why === '' ? '' : ` (${why})`}`)
  if (failures.length > 0) print(styleText('red', '\nFailed:'))
  for (const name of failures) print(`  ${name}`)
  const inCi = process.env['CI'] !== undefined && !['', '0', 'false'].includes(process.env['CI'])
  if (skipped.length > 0 && inCi) print('\nIn CI every test has to run, so what was skipped counts as a failure.')
  print(`\n${passed} passed, ${failures.length} failed, ${skipped.length} skipped`)
  if (failures.length > 0 || passed === 0 || (skipped.length > 0 && inCi)) process.exitCode ??= 1
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

await main()

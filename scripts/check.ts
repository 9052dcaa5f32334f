// npm run check: everything that can be said about the code without running the product.
// Steps run side by side; what a step printed is shown when it fails.

import { availableParallelism } from 'node:os'
import { styleText } from 'node:util'
import { checkPackage } from './check-package.ts'
import { runCommand, stopCommandsOnSignal } from './command.ts'

interface Step {
  readonly name: string
  /** Empty when all is well, else what is wrong. */
  readonly run: () => Promise<string>
}

const STEP_LIMIT_MS = 300_000

const STEPS: readonly Step[] = [
  { name: 'package', run: checkPackage }, // first, since it takes longest
  { name: 'types', run: command('tsc', '--noEmit') },
  { name: 'lint', run: command('oxlint') },
  { name: 'format', run: command('oxfmt', '--check') },
  { name: 'unused code', run: command('knip', '--no-progress', '--treat-config-hints-as-errors') },
  { name: 'architecture', run: command(process.execPath, '--test', 'test/architecture/*.test.ts') },
]

async function main(): Promise<void> {
  stopCommandsOnSignal()
  const queue = [...STEPS]
  const failed: string[] = []
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      if (!(await runStep(step))) failed.push(step.name)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  print(failed.length === 0 ? `\n${STEPS.length} checks passed` : `\nFailed: ${failed.join(', ')}`)
  if (failed.length > 0) process.exitCode ??= 1
}

async function runStep({ name, run }: Step): Promise<boolean> {
  const start = performance.now()
  const problems = await run().catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const ok = problems === ''
  print(`${ok ? styleText('green', '✔') : styleText('red', '✖')} ${name} (${seconds} s)`)
  if (!ok) print(problems)
  return ok
}

function command(name: string, ...args: readonly string[]): () => Promise<string> {
  return async () => {
    const { code, output, timedOut } = await runCommand(name, args, { timeoutMs: STEP_LIMIT_MS })
    if (timedOut) return `${output}\n${name}: not done after ${STEP_LIMIT_MS / 1000} seconds`
    return code === 0 ? '' : output.trim() || `${name} ended with ${code}`
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

await main()

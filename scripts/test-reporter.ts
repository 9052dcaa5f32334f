// A reporter for `node --test` beside the one that people read: counts, and skipped and failed tests by full name, as JSON.

import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

export interface TestReport {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly SkippedTest[]
  readonly failures: readonly string[]
}

export interface SkippedTest {
  /** `test/unit/a.test.ts › outer › inner`. */
  readonly name: string
  readonly why: string
}

// oxlint-disable-next-line import/no-default-export -- node:test asks for it
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = []
  const skipped: SkippedTest[] = []
  const failures: string[] = []
  let passed = 0
  for await (const event of events) {
    if (event.type === 'test:start') {
      path.length = event.data.nesting
      path.push(event.data.name)
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { data } = event
      path.length = data.nesting + 1
      const name = [relative(process.cwd(), data.file ?? ''), ...path].join(' › ')
      // A test marked `todo` is one that is not there yet: for the reader it was skipped.
      const skip = data.skip ?? data.todo
      if (skip !== undefined && skip !== false) skipped.push({ name, why: typeof skip === 'string' ? skip : '' })
      else if (event.type === 'test:fail') {
        // Whoever fails only through its subtests is not a failure of its own.
        if (!isCausedBySubtests(event.data.details.error)) failures.push(name)
      } else if (data.details.type !== 'suite') passed += 1
    }
  }
  yield JSON.stringify({ passed, failed: failures.length, skipped, failures } satisfies TestReport)
}

function isCausedBySubtests(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed'
}

// Random sequences of calls against the model: one after the other, and several at once.

import assert from 'node:assert/strict'
import type * as FastCheck from 'fast-check'
import { applyStep, describeModel, EMPTY_MODEL, type Answer, type Model, type Step } from './model.ts'
import { Cast, describeStore, playStep, type Play } from './play.ts'
import { DAY, HOUR } from './sample-session.ts'
import type { StoreCase, StoreCaseContext } from './store-case.ts'

type Arbitrary<T> = FastCheck.Arbitrary<T>
type Event =
  | { readonly kind: 'step'; readonly step: Step; readonly onOther: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'crash' }

const KEYS = 6
const USERS = 2

export const propertyCases: readonly StoreCase[] = [
  {
    name: 'any sequence of calls, waits, sweeps and lost connections ends as the model says',
    async run(context) {
      const fc = await loadFastCheck()
      const events = fc.array(eventArbitrary(fc), { minLength: 1, maxLength: 40 })
      const property = fc.asyncProperty(events, (sequence) => checkSequence(context, sequence))
      await fc.assert(property, parameters(context))
    },
  },
  {
    name: 'any calls at once on a few sessions end as one order of them would have',
    async run(context) {
      const fc = await loadFastCheck()
      const before = fc.array(stepArbitrary(fc), { maxLength: 8 })
      const atOnce = fc.array(rowStepArbitrary(fc), { minLength: 2, maxLength: 4 })
      const property = fc.asyncProperty(before, atOnce, (first, steps) => checkParallel(context, first, steps))
      await fc.assert(property, parameters(context))
    },
  },
]

async function checkSequence(context: StoreCaseContext, events: readonly Event[]): Promise<void> {
  const { clock } = context
  const cast = new Cast()
  const epochBefore = await context.store.epoch()
  let [store, other, model] = [context.store, context.other, EMPTY_MODEL]
  for (const event of events) {
    const play = playOn(event.kind === 'step' && event.onOther ? other : store, { cast, model, now: clock.now() })
    if (event.kind === 'wait') clock.advance(event.ms)
    else if (event.kind === 'crash') [store, other] = [other, await context.connect()]
    else if (event.kind === 'sweep') model = await sweep(model, play)
    else if (isPlayable(model, event.step, clock.now())) {
      const [next, expected] = applyStep(model, event.step, clock.now())
      assert.equal(await playStep(event.step, play), expected, `the answer to ${JSON.stringify(event.step)}`)
      model = next
    }
  }
  const play = playOn(other, { cast, model: forgetOver(model, clock.now()), now: clock.now() })
  await assertSame(forgetOver(model, clock.now()), play)
  for (let user = 0; user < USERS; user += 1) {
    const noted = model.epochs.get(user)
    if (noted !== undefined && noted.notedAt + DAY <= clock.now()) continue // may be forgotten by now
    const epoch = await store.epoch(cast.user(user))
    assert.equal(Math.max(0, epoch - epochBefore), noted?.epoch ?? 0, `the epoch of user ${user}`)
  }
}

/** Whether some order of the calls explains every answer and what is stored in the end (linearizability). */
async function checkParallel(
  context: StoreCaseContext,
  before: readonly Step[],
  steps: readonly Step[],
): Promise<void> {
  const now = context.clock.now()
  const cast = new Cast()
  let model = EMPTY_MODEL
  for (const step of before) {
    await playStep(step, playOn(context.store, { cast, model, now }))
    ;[model] = applyStep(model, step, now)
  }
  const answers = await Promise.all(
    steps.map((step, i) => playStep(step, playOn(i % 2 ? context.store : context.other, { cast, model, now }))),
  )
  const outcomes = permutations(steps.map((_, i) => i)).map((order) => outcomeOf(model, steps, order, now))
  const isExplained = await some(outcomes, async ([after, expected]) => {
    if (expected.join('\n') !== answers.join('\n')) return false
    return (await describeStore(after, playOn(context.store, { cast, model, now }))) === describeModel(after, now)
  })
  assert.ok(isExplained, `no order of the calls explains the answers ${JSON.stringify(answers)} and what is stored`)
}

function outcomeOf(
  model: Model,
  steps: readonly Step[],
  order: readonly number[],
  now: number,
): readonly [Model, Answer[]] {
  const answers: Answer[] = []
  let state = model
  for (const i of order) {
    const step = steps[i]
    if (step !== undefined) [state, answers[i]] = applyStep(state, step, now)
  }
  return [state, answers]
}

function playOn(store: Play['store'], { cast, model, now }: { cast: Cast; model: Model; now: number }): Play {
  return { store, cast, now, userOf: (key) => model.rows.get(key)?.user ?? null }
}

async function assertSame(model: Model, play: Play): Promise<void> {
  assert.equal(await describeStore(model, play), describeModel(model, play.now))
}

async function sweep(model: Model, { store, now }: Play): Promise<Model> {
  await store.deleteExpired(now, 1000)
  return forgetOver(model, now)
}

/** Past its absolute deadline a row may be there or not: stores whose engine deletes by itself do not wait for a sweep. */
function forgetOver(model: Model, now: number): Model {
  return { ...model, rows: new Map([...model.rows].filter(([, row]) => row.expiresAt > now)) }
}

function isPlayable(model: Model, step: Step, now: number): boolean {
  const keys = 'key' in step ? [step.key, ...('next' in step ? [step.next] : [])] : []
  return keys.every((key) => (model.rows.get(key)?.expiresAt ?? Infinity) > now)
}

function eventArbitrary(fc: typeof FastCheck): Arbitrary<Event> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('step'), step: stepArbitrary(fc), onOther: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(1, HOUR, 2 * HOUR, DAY) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('sweep', 'crash') }) },
  )
}

function stepArbitrary(fc: typeof FastCheck): Arbitrary<Step> {
  const user = fc.nat(USERS - 1)
  const except = fc.option(fc.nat(KEYS - 1))
  return fc.oneof(
    { weight: 8, arbitrary: rowStepArbitrary(fc) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('endByUser'), user, except }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('list'), user }) },
  )
}

/** Calls on one row, or a row and its successor: those that a store makes in one atomic step. */
function rowStepArbitrary(fc: typeof FastCheck): Arbitrary<Step> {
  const key = fc.nat(KEYS - 1)
  const ifVersion = fc.option(fc.integer({ min: 1, max: 3 }), { freq: 2 })
  const field = fc.constantFrom('a', 'b', 'c')
  const value = fc.option(fc.nat(255))
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('create'), key, user: fc.option(fc.nat(USERS - 1)) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('update'), key, field, value, ifVersion }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('replace'), key, next: key, ifVersion }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('touch'), key, idleMs: fc.constantFrom(HOUR, 3 * HOUR) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end'), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('find'), key }) },
  )
}

function parameters({ properties }: StoreCaseContext) {
  return { numRuns: properties.runs ?? 50, ...(properties.seed === undefined ? {} : { seed: properties.seed }) }
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}

async function some<T>(items: readonly T[], isWanted: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await isWanted(item)) return true
  return false
}

/** An optional peer: whoever only runs the server does not need it. */
async function loadFastCheck(): Promise<typeof FastCheck> {
  try {
    return await import('fast-check')
  } catch (cause) {
    throw new Error('The random sequences need fast-check: npm install --save-dev fast-check@4.10.2', { cause })
  }
}

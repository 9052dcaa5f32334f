// A CPU profile of V8, summed up: self time by function and by who the code belongs to.

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

/** What `node --cpu-prof` writes. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
  /** These three in microseconds. */
  readonly startTime: number
  readonly endTime: number
}

export interface SelfTime {
  readonly name: string
  /** Of the time in which the process did anything. */
  readonly share: number
}

export interface ProfileSummary {
  readonly owners: readonly SelfTime[]
  readonly functions: readonly SelfTime[]
}

const IDLE = new Set(['(idle)', '(root)'])

/** `lastMs`: what was before that is the start of the process. */
export function summarizeProfile(profile: CpuProfile, lastMs: number): ProfileSummary {
  const { nodes, samples, timeDeltas } = profile
  const from = profile.endTime - lastMs * 1000
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const owners = new Map<string, number>()
  const functions = new Map<string, number>()
  let total = 0
  let now = profile.startTime
  for (const [index, id] of samples.entries()) {
    const time = timeDeltas[index] ?? 0
    now += time
    const node = byId.get(id)
    if (now < from || node === undefined || IDLE.has(node.callFrame.functionName)) continue
    total += time
    add(owners, ownerOf(node), time)
    add(functions, `${node.callFrame.functionName || '(anonymous)'} · ${placeOf(node)}`, time)
  }
  return { owners: largest(owners, total), functions: largest(functions, total) }
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time)
}

function largest(times: ReadonlyMap<string, number>, total: number): readonly SelfTime[] {
  return [...times].map(([name, time]) => ({ name, share: time / total })).toSorted((a, b) => b.share - a.share)
}

function ownerOf({ callFrame: { url, functionName } }: ProfileNode): string {
  if (url.startsWith('node:')) return 'Node'
  if (url.includes('/node_modules/')) return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? 'packages'
  if (url.includes('/server/')) return 'ours'
  if (url.includes('/bench/')) return 'the handler'
  return functionName.startsWith('(') ? functionName : 'native'
}

function placeOf({ callFrame: { url, lineNumber } }: ProfileNode): string {
  const short = url.replace(/^.*\/(server|bench|node_modules)\//, '$1/')
  return short === '' ? 'native' : `${short}:${lineNumber + 1}`
}

// CLUSTER SLOTS → which node has which slot.

export interface SlotMap {
  /** By slot: `host:port` of its master; a hole where nobody has it. */
  readonly slots: readonly string[]
  readonly masters: ReadonlySet<string>
  /** Masters and replicas. */
  readonly nodes: ReadonlySet<string>
}

/** @param from `host:port` that answered: a node without a host is on the same host */
export function readSlots(answer: unknown, from: string): SlotMap {
  const slots: string[] = []
  const masters = new Set<string>()
  const nodes = new Set<string>()
  for (const range of asArray(answer)) {
    const [first, last, ...places] = asArray(range)
    const [master, ...replicas] = places.map((place) => readPlace(place, from))
    if (master === undefined) continue
    masters.add(master)
    for (const node of [master, ...replicas]) nodes.add(node)
    for (let slot = Number(first); slot <= Number(last); slot += 1) slots[slot] = master
  }
  if (slots.length === 0) throw new Error('redis: the node knows of no slots; is it part of a cluster?')
  return { slots, masters, nodes }
}

function readPlace(place: unknown, from: string): string {
  const [host, port] = asArray(place)
  const isNamed = typeof host === 'string' && host !== '' && host !== '?'
  return `${isNamed ? host : from.slice(0, from.lastIndexOf(':'))}:${String(port)}`
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

// An address cut to its network: /24 for IPv4, /48 for IPv6. Enough for "was that me?", too little to find a person.

import { isIPv4, isIPv6 } from 'node:net'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** `203.0.113.0` for `203.0.113.7`, `2001:db8:7::` for `2001:db8:7:1::9`; empty for what is no address. */
export function coarseAddress(address: string): string {
  const withoutZone = address.split('%', 1)[0] ?? ''
  const folded = MAPPED.exec(withoutZone)?.[1] ?? withoutZone
  if (isIPv4(folded)) return `${folded.split('.').slice(0, 3).join('.')}.0`
  return isIPv6(folded) ? ipv6Network(folded) : ''
}

/** The URL parser writes an address in its one canonical spelling (RFC 5952), a mapped IPv4 in hexadecimal. */
function ipv6Network(address: string): string {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical)
  if (mapped !== null) {
    const high = Number.parseInt(mapped[1] ?? '', 16)
    const low = Number.parseInt(mapped[2] ?? '', 16)
    return `${high >> 8}.${high & 255}.${low >> 8}.0`
  }
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = tail === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  const network = groups.slice(0, 3).join(':')
  return new URL(`http://[${network}::]`).hostname.slice(1, -1)
}

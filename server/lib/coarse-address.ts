// An address cut to its network, so that it says enough without pointing at a person or being one of many.

import { isIPv4, isIPv6 } from 'node:net'

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/** For people, "was that me?": /24 or /48. Empty for what is no address. */
export function coarseAddress(address: string): string {
  return networkOf(address, { octets: 3, groups: 3 })
}

/** For counting: a whole IPv4 address, but /64 of IPv6, since every household has that many. Empty for what is no address. */
export function countedAddress(address: string): string {
  return networkOf(address, { octets: 4, groups: 4 })
}

interface Kept {
  readonly octets: number
  readonly groups: number
}

function networkOf(address: string, kept: Kept): string {
  const withoutZone = address.split('%', 1)[0] ?? ''
  if (isIPv4(withoutZone)) return ipv4Network(withoutZone.split('.'), kept.octets)
  if (!isIPv6(withoutZone)) return ''
  const canonical = canonicalIpv6(withoutZone)
  const mapped = MAPPED.exec(canonical)
  return mapped === null ? ipv6Network(canonical, kept.groups) : ipv4Network(octetsOf(mapped), kept.octets)
}

function ipv4Network(octets: readonly string[], kept: number): string {
  return octets.map((octet, index) => (index < kept ? octet : '0')).join('.')
}

function ipv6Network(canonical: string, kept: number): string {
  const [head = '', tail = ''] = canonical.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return canonicalIpv6(`${[...left, ...zeros, ...right].slice(0, kept).join(':')}::`)
}

/** The URL parser writes an address in its one canonical spelling (RFC 5952), an IPv4 in it in hexadecimal. */
function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

/** IPv4 folded out of an IPv6 socket's address: one visitor has one address. */
function octetsOf(mapped: RegExpExecArray): readonly string[] {
  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].map(String)
}

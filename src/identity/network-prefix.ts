import { isIP, isIPv4 } from 'node:net';

/**
 * The network of an address: 24 bits of IPv4 (`203.0.113.0/24`), 56 bits of IPv6 (`2001:db8:0:1200::/56`), which is what
 * providers assign to one customer at most, or 48. Undefined if the text is not an IP address.
 */
export const networkPrefix = (address: string, ipv6Bits: 48 | 56 = 56): string | undefined => {
  const [bare = ''] = address.split('%'); // A zone, such as in fe80::1%eth0, is local to a machine.
  if (isIPv4(bare)) return `${bare.split('.').slice(0, 3).join('.')}.0/24`;
  if (isIP(bare) !== 6) return undefined;
  const groups = groupsOf(bare);
  const isMappedIPv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMappedIPv4) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 0xff}.${low >> 8}.0/24`;
  }
  const [a = 0, b = 0, c = 0, d = 0] = groups;
  const kept = ipv6Bits === 48 ? [a, b, c] : [a, b, c, d & 0xff00];
  return `${kept.map((group) => group.toString(16)).join(':')}::/${ipv6Bits}`;
};

const MAX_REMEMBERED = 10_000;

/** `networkPrefix` for addresses that come again with each request: it remembers the results. */
export const createNetworkPrefixes = (ipv6Bits: 48 | 56): ((address: string) => string | undefined) => {
  const known = new Map<string, string | undefined>();
  return (address) => {
    if (known.has(address)) return known.get(address);
    if (known.size >= MAX_REMEMBERED) known.clear();
    const prefix = networkPrefix(address, ipv6Bits);
    known.set(address, prefix);
    return prefix;
  };
};

/** The eight groups of 16 bits of a valid IPv6 address. */
const groupsOf = (address: string): readonly number[] => {
  // The URL parser writes the last 32 bits in hexadecimal, too.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const read = (part: string | undefined): readonly number[] =>
    part ? part.split(':').map((group) => Number.parseInt(group, 16)) : [];
  const [first, last] = [read(head), read(tail)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
};

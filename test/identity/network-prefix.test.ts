import { describe, expect, it } from 'vitest';
import { agentFamily } from '../../src/identity/agent-family.ts';
import { createNetworkPrefixes, networkPrefix } from '../../src/identity/network-prefix.ts';

describe('the network of an address', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['::ffff:cb00:714d', '203.0.113.0/24'],
    ['2001:db8:0:1234:5678::1', '2001:db8:0:1200::/56'],
    ['2001:0DB8:0000:12FF:0000:0000:0000:0001', '2001:db8:0:1200::/56'],
    ['2001:db8::1', '2001:db8:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['64:ff9b::203.0.113.77', '64:ff9b:0:0::/56'],
  ])('of %s is %s', (address, prefix) => expect(networkPrefix(address)).toBe(prefix));

  it('is the same for all addresses of a customer, and not for those of the next', () => {
    const prefixes = ['2001:db8:1:2200::1', '2001:db8:1:22ff:ffff:ffff:ffff:ffff', '2001:db8:1:2300::1'].map(
      (address) => networkPrefix(address),
    );
    expect(prefixes[0]).toBe(prefixes[1]);
    expect(prefixes[0]).not.toBe(prefixes[2]);
  });

  it('can be shorter for IPv6, and is the same for IPv4', () => {
    expect(networkPrefix('2001:db8:7:1234::1', 48)).toBe('2001:db8:7::/48');
    expect(networkPrefix('203.0.113.77', 48)).toBe('203.0.113.0/24');
  });

  it.each(['', 'unknown', '203.0.113', '203.0.113.77:80', '1.2.3.4.5', '::g', 'localhost', '[::1]'])(
    'does not exist for "%s"',
    (address) => expect(networkPrefix(address)).toBeUndefined(),
  );
});

describe('the family of a browser', () => {
  const mozilla = 'Mozilla/5.0 ';
  const like = ' AppleWebKit/537.36 (KHTML, like Gecko)';
  it.each([
    [`${mozilla}(X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`, 'Firefox on Linux'],
    [`${mozilla}(Windows NT 10.0; Win64; x64)${like} Chrome/141.0.0.0 Safari/537.36`, 'Chrome on Windows'],
    [`${mozilla}(Windows NT 10.0)${like} Chrome/141.0.0.0 Safari/537.36 Edg/141.0`, 'Edge on Windows'],
    [`${mozilla}(Macintosh; Intel Mac OS X 10_15_7)${like} Version/18.0 Safari/605.1.15`, 'Safari on macOS'],
    [`${mozilla}(iPhone; CPU iPhone OS 18_0 like Mac OS X)${like} Version/18.0 Mobile Safari/604.1`, 'Safari on iOS'],
    [`${mozilla}(Linux; Android 15; Pixel 9)${like} Chrome/141.0 Mobile Safari/537.36`, 'Chrome on Android'],
    ['curl/8.5.0', 'curl'],
    ['python-requests/2.32', undefined],
    ['', undefined],
  ])('of %s is %s', (userAgent, family) => expect(agentFamily(userAgent)).toBe(family));
});

it('remembers the results, also after more addresses than it keeps', () => {
  const prefixOf = createNetworkPrefixes(48);
  const addresses = Array.from({ length: 12_000 }, (_, n) => `10.${n >> 8}.${n & 0xff}.7`);
  for (const round of [1, 2]) {
    const wrong = addresses.filter((address) => prefixOf(address) !== networkPrefix(address, 48));
    expect(wrong, `round ${round}`).toEqual([]);
  }
  expect(prefixOf('nobody')).toBeUndefined();
  expect(prefixOf('2001:db8:1234:5678::1')).toBe('2001:db8:1234::/48');
});

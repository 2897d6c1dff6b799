import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../../src/domain/identity/address.ts';

const canonical = (written: string): string | undefined => readAddress(written)?.canonical;
const exact = (written: string): string | undefined => readAddress(written)?.exact;

describe('an e-mail address', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['  ada@example.com ', 'ada@example.com'],
    ['ADA@EXAMPLE.COM', 'ada@example.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['ａｄａ@example.com', 'ada@example.com'],
    ['ada@example.com.', 'ada@example.com'],
  ])('%s signs in as %s', (written, expected) => {
    expect(exact(written)).toBe(expected);
  });

  it.each([
    ['a.d.a+news@gmail.com', 'ada@gmail.com'],
    ['A.da@GoogleMail.com', 'ada@gmail.com'],
    ['ada+x@outlook.com', 'ada@outlook.com'],
    ['a.da@outlook.com', 'a.da@outlook.com'],
    ['ada+x@proton.me', 'ada@proton.me'],
    ['ada-shop@yahoo.com', 'ada@yahoo.com'],
    ['ada+x@yahoo.com', 'ada+x@yahoo.com'],
  ])('%s is one identity with %s', (written, expected) => {
    expect(canonical(written)).toBe(expected);
  });

  it('keeps dots and tags of a domain whose rules are unknown, because local parts may differ', () => {
    expect(canonical('a.da+x@example.com')).toBe('a.da+x@example.com');
  });

  it('keeps a tag that has no mailbox before it', () => {
    expect(canonical('+x@gmail.com')).toBe('+x@gmail.com');
  });

  it('signs in with the spelling that was registered, whatever counts as the same identity', () => {
    expect(exact('a.da+x@gmail.com')).toBe('a.da+x@gmail.com');
  });

  it.each([
    ...['', 'ada', '@example.com', 'ada@', 'ada@example', 'ada@@example.com', 'a b@example.com', 'ada@exa mple.com'],
    ...['ada@-example.com', 'ada@example-.com', 'ada@127.0.0.1', 'ada@[::1]', '"a b"@example.com', 'ada.@example.com'],
    ...['.ada@example.com', 'a..da@example.com', 'ada@example.com/x', 'ada@example.com:25', 'ada@user@example.com'],
    ...['ada\n@example.com', 'ada@exam\u0000ple.com', `${'a'.repeat(65)}@example.com`, `ada@${'a.'.repeat(126)}com`],
    ...['<ada@example.com>', 'Ada <ada@example.com>', 'ada@example.com,bob@example.com'],
  ])('%j is none', (written) => {
    expect(readAddress(written)).toBeUndefined();
  });

  it('is the same when it is read again, however it was written', () => {
    const local = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9.+_-]{0,20}$/);
    const domain = fc.constantFrom('gmail.com', 'GoogleMail.com', 'yahoo.com', 'Outlook.com', 'example.org');
    fc.assert(
      fc.property(local, domain, (name, host) => {
        const address = readAddress(`${name}@${host}`);
        if (!address) return;
        expect(readAddress(address.exact)).toEqual(address);
        // What is left of a local part need not be one.
        expect([address.canonical, undefined]).toContain(canonical(address.canonical));
      }),
    );
  });
});

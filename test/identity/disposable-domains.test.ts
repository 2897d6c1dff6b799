import { describe, expect, it } from 'vitest';
import { isDisposableDomain, isPublicDomain, typoHint } from '../../src/identity/disposable-domains.ts';

describe('a disposable domain', () => {
  it.each(['mailinator.com', 'MAILINATOR.com', ' mailinator.com. ', 'team.mailinator.com', 'a.b.guerrillamail.com'])(
    'is recognised: %s',
    (domain) => expect(isDisposableDomain(domain)).toBe(true),
  );

  it.each(['gmail.com', 'example.com', 'mymailinatorhost.org', 'mailinator.com.example.org', 'com', 'co.uk', ''])(
    'is not %s',
    (domain) => expect(isDisposableDomain(domain)).toBe(false),
  );
});

describe('a hint for a mistyped domain', () => {
  it.each([
    ['gmial.com', 'gmail.com'],
    ['gmai.com', 'gmail.com'],
    ['gmaill.com', 'gmail.com'],
    ['gnail.com', 'gmail.com'],
    ['gmail.con', 'gmail.com'],
    ['gmail.co', 'gmail.com'],
    ['GMIAL.COM', 'gmail.com'],
    ['hotmial.com', 'hotmail.com'],
    ['homail.com', 'hotmail.com'],
    ['outlok.com', 'outlook.com'],
    ['yaho.com', 'yahoo.com'],
    ['yahooo.com', 'yahoo.com'],
    ['iclould.com', 'icloud.com'],
    ['yahoo.co.ul', 'yahoo.co.uk'],
  ])('is given for %s: %s', (domain, meant) => expect(typoHint(domain)).toBe(meant));

  it.each([
    'gmail.com',
    'googlemail.com',
    'mail.com',
    'email.com',
    'ymail.com',
    'example.com',
    'gmx.de',
    'kissapi.test',
    '',
  ])('is not given for %s', (domain) => expect(typoHint(domain)).toBeUndefined());
});

describe('a domain of a public mail provider', () => {
  it.each(['gmail.com', 'GMX.de', 'gmx.co.uk', 'yahoo.com.br', 'hotmail.co.uk', 'proton.me', 'qq.com', ' web.de. '])(
    'is recognised: %s',
    (domain) => expect(isPublicDomain(domain)).toBe(true),
  );
  it.each(['example.com', 'yahoo-inc.com', 'outlook.example.com', 'mail.gmail.com.example', 'live', ''])(
    'is not %s',
    (domain) => expect(isPublicDomain(domain)).toBe(false),
  );
});

import { describe, expect, it } from 'vitest';
import type { ReleaseReason } from '../../../src/domain/account/events.ts';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { tellStory, type Chapter, type Until } from '../../../src/cli/account-history/history.ts';
import { plain } from '../../../src/cli/account-history/plain-text.ts';
import { line, sentence, summary, type Holder } from '../../../src/cli/account-history/sentences.ts';
import { ACCOUNT, ada, writeLedger } from '../ledger.ts';

const tell = async (until: Until = {}, holder: Holder = ada) => {
  let time = Date.parse('2026-01-31T10:00:00Z');
  const store = createInMemoryStore(createInMemoryLog(() => new Date((time += 500))));
  await writeLedger(store);
  const lines: string[] = [];
  let last: Chapter | undefined;
  for await (const chapter of tellStory(store, ACCOUNT, until)) {
    lines.push(line(chapter, holder, chapter.recorded.metadata.actor));
    last = chapter;
  }
  return { lines, last };
};

describe('a story', () => {
  it('tells every event in a sentence, with the balance after it', async () => {
    const { lines } = await tell();
    expect(lines.map((one) => one.replace(/^\S+ {2}/, ''))).toEqual([
      '#0  Registered for Ada <ada@example.com>, a person.  [test]  Balance 0.00 USD.',
      '#1  Accepted the terms of 2026-01-01: in a test.  [test]  Balance 0.00 USD.',
      '#2  Issued the key "production" (key_1), which ends in x7Qd.  [test]  Balance 0.00 USD.',
      '#3  Added 0.001 USD (lot_1), granted: Welcome.  [test]  Balance 0.001 USD.',
      '#4  Added 0.009 USD (lot_2), paid: ord_1.  [test]  Balance 0.01 USD.',
      '#5  Held 0.002 USD for gen-1: gpt-5-mini at price version 1, /chat/completions, with key_1.  [test]  Balance 0.01 USD, of which 0.002 held.',
      '#6  Held 0.0005 USD more for gen-1.  [test]  Balance 0.01 USD, of which 0.0025 held.',
      '#7  Held 0.001 USD for gen-2: gpt-5-mini at price version 1, /chat/completions, with key_1.  [test]  Balance 0.01 USD, of which 0.0035 held.',
      '#8  Charged 0.002026251 USD for gen-1: 101 input + 40 cached input + 1,000 output tokens, reported; completed. 0.000473749 USD of the hold is free again.  [test]  Balance 0.007973749 USD, of which 0.001 held.',
      '#9  Gave back the 0.001 USD held for gen-2, uncharged: the process that held it died (run \u00b7[31mdied).  [test]  Balance 0.007973749 USD.',
      '#10  Charged 0.00002 USD late for gen-2, whose hold had been given back: 10 output tokens, reported; completed.  [test]  Balance 0.007953749 USD.',
      '#11  Held 0.001 USD for gen-3: gpt-5-mini at price version 1, /chat/completions, with key_1.  [test]  Balance 0.007953749 USD, of which 0.001 held.',
      '#12  Gave back the 0.001 USD held for gen-3, uncharged: the provider failed (HTTP 500).  [test]  Balance 0.007953749 USD.',
      '#13  Held 0.001 USD for gen-4: gpt-5-mini at price version 1, /chat/completions, with key_1.  [test]  Balance 0.007953749 USD, of which 0.001 held.',
      '#14  Charged 0.007953749 USD for gen-4: 101 input + 40 cached input + 10,000 output tokens, reported; completed. 0.00 USD of the hold is free again.  [test]  Balance 0.00 USD.',
      '#15  Wrote off 0.012072502 USD of gen-4, which neither the hold nor what was left to charge covered: the house pays.  [test]  Balance 0.00 USD.',
      '#16  Added 0.005 USD (lot_3), granted: Sorry.  [test]  Balance 0.005 USD.',
      '#17  Held 0.001 USD for gen-5: gpt-5-mini at price version 1, /chat/completions, with key_1.  [test]  Balance 0.005 USD, of which 0.001 held.',
      '#18  Suspended: Resale.  [test]  Balance 0.005 USD, of which 0.001 held.',
    ]);
    expect(lines[0]).toMatch(/^2026-01-31T10:00:\d\d\.\d{3}Z {2}#0 {2}/);
  });

  it('ends where it is told to, that moment included', async () => {
    const { lines } = await tell({ revision: 4 });
    expect(lines).toHaveLength(5);
    const whole = await tell();
    const at = whole.last && new Date(whole.last.recorded.time.getTime() - 1);
    expect((await tell({ at })).lines).toHaveLength(18);
    expect((await tell({ at: whole.last?.recorded.time })).lines).toHaveLength(19);
  });

  it.each(['erased', 'sealed'] as const)('says of a holder who cannot be told that he is %s', async (holder) => {
    const { lines, last } = await tell({}, holder);
    expect(lines[0]).toContain(`#0  Registered for [${holder}], a person.`);
    expect(last && summary(last.account, last, holder)).toContain(`  holder     [${holder}]\n`);
  });

  it('sums up how the account stands', async () => {
    const { last } = await tell();
    if (!last) throw new Error('there is a story');
    expect(summary(last.account, last, ada).split('\n').slice(1)).toEqual([
      '  holder     Ada <ada@example.com>',
      '  standing   suspended: Resale',
      '  terms      2026-01-01',
      '  keys       1 in use, 0 revoked',
      '  balance    0.005 USD = 0.015 added - 0.01 charged',
      '  held       0.001 USD for 1 open request',
      '  available  0.004 USD',
      '  open hold  0.001 USD for gen-5 (gpt-5-mini), run run-1',
    ]);
  });
});

describe('the end of an account', () => {
  it('is told with its reason, the member who asked, and what ended', () => {
    expect(sentence({ type: 'AccountClosed', reason: 'moved\u001b' })).toBe('Closed: moved\u00b7.');
    expect(sentence({ type: 'AccountClosed', reason: 'moved', askedBy: 'per_1' })).toBe(
      'Closed, as per_1 asked: moved.',
    );
    expect(sentence({ type: 'LotExpired', lotId: 'lot_1', amount: 5_000_000n, reason: 'account_closed' })).toBe(
      'Ended 0.005 USD of promotional credits (lot_1): the account is closed.',
    );
    expect(sentence({ type: 'PersonalDataErased', reason: 'asked' })).toBe(
      'Erased the name and the address of the holder: asked.',
    );
  });
});

describe('limits', () => {
  it('are told in words', () => {
    const limits = {
      ...{ requestsPerMinute: 600, tokensPerMinute: 90_000, concurrentRequests: 5, models: ['gpt-5-mini', 'o\u001b3'] },
      ...{ spending: { day: 5_000_000_000n, total: 1n }, expiresAt: '2027-01-01T00:00:00.000Z' },
    };
    expect(sentence({ type: 'KeyLimitsSet', keyId: 'key_1', limits })).toBe(
      'Set the limits of the key key_1: 600 requests a minute; 90,000 tokens a minute; 5 requests at once; 5.00 USD a day; ' +
        '0.000000001 USD in total; only gpt-5-mini, o\u00b73; until 2027-01-01T00:00:00.000Z.',
    );
    const least = { requestsPerMinute: 1, tokensPerMinute: 1, concurrentRequests: 1 };
    expect(sentence({ type: 'AccountLimitsSet', limits: least })).toBe(
      'Set the limits of the account: 1 request a minute; 1 token a minute; 1 request at once.',
    );
    expect(sentence({ type: 'AccountLimitsSet', limits: {} })).toBe('Set the limits of the account: none.');
  });
});

describe('plain', () => {
  it('lets nothing through that would move a terminal', () => {
    expect(plain('a\u001b[2Jb\rc\u0007d\u202ee\u2028f\u009bg')).toBe('a\u00b7[2Jb\u00b7c\u00b7d\u00b7e\u00b7f\u00b7g');
    expect(plain('Grüße, 東京 👋')).toBe('Grüße, 東京 👋');
  });
});

describe('why a hold was given back', () => {
  const gaveBack = (reason: ReleaseReason, detail: string): string =>
    sentence({ type: 'HoldReleased', requestId: 'gen-1', released: 1n, reason, detail });

  it.each<[ReleaseReason, string, string]>([
    ['upstream_refused', 'status 500', 'uncharged: the provider answered 500.'],
    ['upstream_refused', 'status 401', 'uncharged: the provider answered 401.'],
    ['upstream_refused', 'status 400', 'uncharged: the provider answered 400.'],
    ['upstream_refused', 'beyond the context that is sold', 'uncharged: the gateway refused the request (beyond'],
    ['upstream_failed', 'HTTP 500', 'uncharged: the provider failed (HTTP 500).'],
    ['client_gone', '', 'uncharged: the client left before anything was delivered.'],
  ])('%s, %s: says what happened', (reason, detail, words) => {
    expect(gaveBack(reason, detail)).toContain(words);
  });
});

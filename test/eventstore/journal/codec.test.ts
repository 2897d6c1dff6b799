import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cost, noUsage, tokenClasses } from '../../../src/domain/money.ts';
import type { PriceEvent } from '../../../src/domain/prices/events.ts';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import {
  asWritten,
  decode,
  encode,
  READABLE_VERSIONS,
  UnreadableEvent,
  type DomainEvent,
  type Metadata,
} from '../../../src/eventstore/journal/codec.ts';
import type { StoredEvent } from '../../../src/eventstore/event-store.ts';
import { NotReadableByAll, readableByAll } from '../../../src/eventstore/event-versions.ts';
import { UNSTATED_VERSIONS } from '../../../src/eventstore/journal/unstated-versions.ts';
import { createVault } from '../../../src/eventstore/journal/personal-data.ts';
import { accountEventShapes } from '../../../src/eventstore/journal/shapes/account.ts';
import {
  accountLimitsSet,
  contactChanged,
  duplicateDismissed,
  duplicateSuspected,
  keyLeakReported,
  memberAdded,
  memberRemoved,
  memberRoleChanged,
  tokenCreated,
  tokenRevoked,
  AT,
  limitsSet,
  drawn,
  extended,
  keyIssued,
  keyRehashed,
  keyRevoked,
  lateCharged,
  registered,
  reinstated,
  released,
  closed,
  erased,
  expired,
  reserved,
  settled,
  suspended,
  termsAccepted,
  toppedUp,
  writtenOff,
} from '../../domain/account/examples.ts';
import { refundsOnDisk } from '../../domain/account/refunds/on-disk.ts';
import { claimsOnDisk, peopleOnDisk, rolesOnDisk, serviceTokensOnDisk } from '../../domain/identity/examples.ts';
import { conductOnDisk } from '../../domain/account/conduct/examples.ts';
import { contactsOnDisk } from '../../domain/contacts/examples.ts';
import { paymentsOnDisk } from '../../domain/payments/examples.ts';
import { createMemoryDataKeys } from '../../support/postgres/data-keys.ts';

const listed: Extract<PriceEvent, { type: 'PriceListed' }> = {
  type: 'PriceListed',
  version: 3,
  effectiveFrom: new Date('2026-02-01T00:00:00.000Z'),
  entry: {
    model: 'simulated-small',
    kind: 'chat',
    ownedBy: 'kissapi',
    upstream: 'simulated',
    upstreamModel: 'simulated-small',
    contextTokens: 128_000,
    maxOutputTokens: 4096,
    lines: linesOf({ input: 150_000n, cachedInput: 75_000n, cacheWrite: 150_000n, output: 600_000n, reasoning: 0n }),
    cost: linesOf({ input: 100_000n, cachedInput: 50_000n, cacheWrite: 100_000n, output: 400_000n, reasoning: 0n }),
    source: 'https://example.com/pricing',
    asOf: '2025-12-31',
  },
};

/** Nano-USD per million tokens, by class. */
const linesText = (...prices: readonly number[]): string =>
  `[${prices
    .map((price, n) => `{"unit":"token","per":1000000,"match":{"class":"${tokenClasses[n]}"},"price":"${price}"}`)
    .join(',')}]`;
const ratesText = '{"input":"1000","cachedInput":"1000","cacheWrite":"1000","output":"1000","reasoning":"1000"}';
const priceText = `{"model":"simulated-small","version":1,"rates":${ratesText}}`;
const ID = '019a0000-1234-8abc-8def-0123456789ab';
const usageText = '{"input":0,"cachedInput":0,"cacheWrite":0,"output":3,"reasoning":0}';
const deliveryText =
  '{"usageSource":"reported","ended":"completed","finishReason":"stop","upstreamId":"chatcmpl-1",' +
  '"firstByteMs":12,"totalMs":345,"anomalies":[]}';

/** One of every type, and its data as it has been on disk since the first day. */
const onDisk: { readonly [T in DomainEvent['type']]: readonly [Extract<DomainEvent, { type: T }>, string] } = {
  ...claimsOnDisk,
  ...peopleOnDisk,
  ...serviceTokensOnDisk,
  ...rolesOnDisk,
  ...paymentsOnDisk,
  ...refundsOnDisk,
  ...conductOnDisk,
  ...contactsOnDisk,
  AccountRegistered: [registered, '{"holder":"person","personal":"v1.c2VhbGVk"}'],
  TermsAccepted: [termsAccepted(), '{"version":"2026-01","how":"api"}'],
  AccountSuspended: [suspended(), '{"reason":"resale","cause":{"kind":"staff"}}'],
  AccountClosed: [closed('asked', 'per_1'), '{"reason":"asked","askedBy":"per_1"}'],
  PersonalDataErased: [erased(), '{"reason":"asked"}'],
  ContactChanged: [contactChanged(), '{"personal":"v1.bmV3"}'],
  MemberAdded: [memberAdded(), '{"personId":"per_1","role":"owner"}'],
  MemberRoleChanged: [memberRoleChanged('per_1', 'billing'), '{"personId":"per_1","role":"billing"}'],
  MemberRemoved: [memberRemoved('per_1'), '{"personId":"per_1","reason":"left"}'],
  TokenCreated: [tokenCreated(), '{"tokenId":"tok_1","scopes":["read","keys"],"endsAt":1769860800000}'],
  TokenRevoked: [tokenRevoked(), '{"tokenId":"tok_1","reason":"unused"}'],
  DuplicateSuspected: [duplicateSuspected(), '{"other":"acc_1","signal":"same_name_and_domain"}'],
  DuplicateDismissed: [duplicateDismissed(), '{"other":"acc_1","reason":"siblings"}'],
  KeyLeakReported: [keyLeakReported(12), '{"keyId":"key_1","since":12}'],
  AccountReinstated: [
    reinstated('dispute won', { kind: 'dispute', disputeId: 'dis_1' }),
    '{"reason":"dispute won","cause":{"kind":"dispute","disputeId":"dis_1"}}',
  ],
  KeyIssued: [
    keyIssued(),
    '{"keyId":"key_1","name":"laptop","hash":"hash of key_1","pepperId":"pepper_1","hint":"wxyz"}',
  ],
  KeyRehashed: [keyRehashed(), '{"keyId":"key_1","hash":"pepper_2 hash of key_1","pepperId":"pepper_2"}'],
  KeyRevoked: [keyRevoked(), '{"keyId":"key_1","reason":"leaked"}'],
  KeyLimitsSet: [
    limitsSet({
      requestsPerMinute: 60,
      tokensPerMinute: 1000,
      concurrentRequests: 3,
      spending: { day: 5n, month: 50n, total: 500n },
      models: ['simulated-small'],
      expiresAt: '2027-01-01T00:00:00.000Z',
    }),
    '{"keyId":"key_1","limits":{"requestsPerMinute":60,"tokensPerMinute":1000,"concurrentRequests":3,' +
      '"spending":{"day":"5","month":"50","total":"500"},"models":["simulated-small"],' +
      '"expiresAt":"2027-01-01T00:00:00.000Z"}}',
  ],
  LowBalanceThresholdSet: [{ type: 'LowBalanceThresholdSet', amount: 5n }, '{"amount":"5"}'],
  BalanceBelowThreshold: [
    { type: 'BalanceBelowThreshold', balance: 4n, threshold: 5n },
    '{"balance":"4","threshold":"5"}',
  ],
  AccountLimitsSet: [accountLimitsSet({ spending: { day: 5n } }), '{"limits":{"spending":{"day":"5"}}}'],
  CreditsToppedUp: [
    { ...toppedUp(5_000_000_000n), endsAt: AT },
    '{"lotId":"lot_1","amount":"5000000000","source":{"kind":"grant","reason":"welcome"},"endsAt":1769860800000}',
  ],
  CreditsReserved: [
    reserved(4n),
    `{"requestId":"req_1","amount":"4","keyId":"key_1","runId":"run_1","price":${priceText},` +
      '"request":{"endpoint":"/v1/chat/completions","upstream":"simulated","streamed":true,' +
      '"inputTokensBound":100,"outputTokensBound":50},"at":1769860800000}',
  ],
  HoldExtended: [extended(2n, 'req_1', AT, 7), '{"requestId":"req_1","by":"2","at":1769860800000,"tokens":7}'],
  HoldSettled: [
    settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] }),
    `{"requestId":"req_1","keyId":"key_1","price":${priceText},"usage":${usageText},"cost":"3","charged":"3",` +
      `"held":"4","released":"1","drawn":[{"lotId":"lot_1","amount":"3"}],"delivery":${deliveryText}}`,
  ],
  HoldReleased: [released(4n), '{"requestId":"req_1","released":"4","reason":"upstream_failed","detail":"status 502"}'],
  LateUsageCharged: [
    lateCharged(3, { charged: 2n, drawn: [drawn(2n)] }),
    `{"requestId":"req_1","keyId":"key_1","price":${priceText},"usage":${usageText},"cost":"3","charged":"2",` +
      `"drawn":[{"lotId":"lot_1","amount":"2"}],"delivery":${deliveryText}}`,
  ],
  UsageWrittenOff: [
    writtenOff(1n, 'req_1', 7),
    '{"requestId":"req_1","amount":"1","beyond":{"input":0,"cachedInput":0,"cacheWrite":0,"output":7,"reasoning":0}}',
  ],
  LotExpired: [expired(5n), '{"lotId":"lot_1","amount":"5","reason":"account_closed"}'],
  PriceListed: [
    listed,
    '{"version":3,"effectiveFrom":"2026-02-01T00:00:00.000Z","entry":{"model":"simulated-small","kind":"chat",' +
      '"ownedBy":"kissapi","upstream":"simulated","upstreamModel":"simulated-small","contextTokens":128000,' +
      `"maxOutputTokens":4096,"lines":${linesText(150_000_000, 75_000_000, 150_000_000, 600_000_000, 0)},` +
      `"cost":${linesText(100_000_000, 50_000_000, 100_000_000, 400_000_000, 0)},` +
      '"source":"https://example.com/pricing","asOf":"2025-12-31"}}',
  ],
  PriceWithdrawn: [
    { type: 'PriceWithdrawn', model: 'simulated-small', version: 3, reason: 'a typo' },
    '{"model":"simulated-small","version":3,"reason":"a typo"}',
  ],
  ModelDelisted: [
    {
      ...{ type: 'ModelDelisted', model: 'gpt-4o', effectiveFrom: new Date('2026-12-01T00:00:00.000Z') },
      ...{ reason: 'its end', endedByProvider: true },
    },
    '{"model":"gpt-4o","effectiveFrom":"2026-12-01T00:00:00.000Z","reason":"its end","endedByProvider":true}',
  ],
  LogRewound: [
    {
      ...{ type: 'LogRewound', rewindId: ID, commonPosition: 17, seenPosition: 20, seenHash: 'ab'.repeat(32) },
      ...{ lostEvents: 3, note: 'restored from the copy of noon' },
    },
    `{"rewindId":"${ID}","commonPosition":17,"seenPosition":20,"seenHash":"${'ab'.repeat(32)}","lostEvents":3,` +
      '"note":"restored from the copy of noon"}',
  ],
  TermsPublished: [
    {
      ...{ type: 'TermsPublished', document: 'acceptable_use', version: '2026-12-20', sha256: 'abc' },
      ...{ summary: 'Shorter.', significant: true, effectiveAt: new Date('2026-12-20T00:00:00.000Z') },
    },
    '{"document":"acceptable_use","version":"2026-12-20","sha256":"abc","summary":"Shorter.","significant":true,' +
      '"effectiveAt":"2026-12-20T00:00:00.000Z"}',
  ],
  TermsWithdrawn: [
    { type: 'TermsWithdrawn', document: 'privacy', version: '2026-12-20', reason: 'a mistake' },
    '{"document":"privacy","version":"2026-12-20","reason":"a mistake"}',
  ],
  ReactionParked: [
    { type: 'ReactionParked', eventId: ID, stream: 'mail-mail_1', command: 0, refusal: 'account_not_found' },
    `{"eventId":"${ID}","stream":"mail-mail_1","command":0,"refusal":"account_not_found"}`,
  ],
  ReactionResumed: [
    { type: 'ReactionResumed', eventId: ID, stream: 'mail-mail_1', command: 0, reason: 'registered since' },
    `{"eventId":"${ID}","stream":"mail-mail_1","command":0,"reason":"registered since"}`,
  ],
  MailQueued: [
    {
      ...{ type: 'MailQueued', to: { kind: 'person', id: 'per_1' }, template: 'low_balance' },
      params: { balance_usd: '1.50' },
    },
    '{"to":{"kind":"person","id":"per_1"},"template":"low_balance","params":{"balance_usd":"1.50"}}',
  ],
  MailDeferred: [
    { type: 'MailDeferred', attempt: 1, reply: '451 4.3.0', until: new Date('2026-12-01T00:01:00.000Z') },
    '{"attempt":1,"reply":"451 4.3.0","until":"2026-12-01T00:01:00.000Z"}',
  ],
  MailSent: [
    { type: 'MailSent', messageId: '<mail_1@localhost>', reply: '250 2.0.0' },
    '{"messageId":"<mail_1@localhost>","reply":"250 2.0.0"}',
  ],
  MailFailed: [{ type: 'MailFailed', reason: 'rejected', reply: '550' }, '{"reason":"rejected","reply":"550"}'],
};

/** Of those whose shape has changed. */
const versions: Partial<Record<string, number>> = {
  AccountRegistered: 2,
  TermsAccepted: 2,
  AccountSuspended: 3,
  AccountReinstated: 3,
  AccountClosed: 2,
  KeyIssued: 2,
  CreditsToppedUp: 2,
  LotExpired: 2,
  CreditsReserved: 3,
  HoldExtended: 2,
  HoldReleased: 3,
  HoldSettled: 2,
  LateUsageCharged: 3,
  UsageWrittenOff: 3,
  ApprovalAsked: 2,
  TermsPublished: 2,
  PriceListed: 2,
  ModelDelisted: 2,
};

const metadata: Metadata = { actor: 'key:key_1', commandId: 'cmd', correlationId: 'req_http' };

const stored = (over: Partial<StoredEvent>): StoredEvent => ({
  id: ID,
  type: 'KeyRevoked',
  version: 1,
  data: onDisk.KeyRevoked[1],
  metadata: JSON.stringify(metadata),
  stream: 'account-ada',
  revision: 6,
  position: 17,
  time: new Date('2026-01-31T12:00:00Z'),
  token: '',
  ...over,
});
const roundTrip = (event: DomainEvent) => decode(stored(encode(event, ID, metadata))).event;

describe('every event', () => {
  it.each(Object.entries(onDisk))('%s is written as ever, and read back', (type, [event, data]) => {
    expect(encode(event, ID, metadata)).toEqual({
      id: ID,
      type,
      version: versions[type] ?? 1,
      data,
      metadata: '{"actor":"key:key_1","commandId":"cmd","correlationId":"req_http"}',
    });
    expect(decode(stored({ type, version: versions[type] ?? 1, data }))).toStrictEqual({
      event,
      id: ID,
      stream: 'account-ada',
      revision: 6,
      position: 17,
      time: new Date('2026-01-31T12:00:00Z'),
      metadata,
    });
  });

  it('keeps money exactly, however much', () =>
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 30n) + 1n, 10n ** 30n - 1n), (amount) => {
        expect(roundTrip(toppedUp(amount))).toEqual(toppedUp(amount));
      }),
    ));

  it('keeps texts exactly, whatever is in them', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (name, hint) => {
        const event = { ...keyIssued(), name, hint };
        expect(roundTrip(event)).toEqual(event);
      }),
    ));

  it('keeps what is absent absent', () => {
    const delivery = { ...onDisk.HoldSettled[0].delivery, finishReason: null, upstreamId: null, firstByteMs: null };
    const event = { ...onDisk.HoldSettled[0], delivery };
    expect(roundTrip(event)).toStrictEqual(event);
  });

  it('keeps the hash of what was asked under an idempotency key', () => {
    const event = { ...onDisk.CreditsReserved[0], requestHash: 'ab'.repeat(32) };
    expect(roundTrip(event)).toStrictEqual(event);
    expect(() => roundTrip({ ...event, requestHash: 'How are you?' })).toThrow();
  });

  it('of a time when there were no idempotency keys, and no limits, is read as ever', () => {
    const [{ at: _, ...event }, data] = onDisk.CreditsReserved;
    const old = data.replace(/,"at":\d+/, '');
    for (const version of [1, 2]) {
      expect(decode(stored({ type: event.type, version, data: old })).event).toStrictEqual(event);
    }
    const [late, lateData] = onDisk.LateUsageCharged;
    expect(decode(stored({ type: late.type, version: 1, data: lateData })).event).toStrictEqual(late);
    const [release, releaseData] = onDisk.HoldReleased;
    expect(decode(stored({ type: release.type, version: 1, data: releaseData })).event).toStrictEqual(release);
    const extendedData = '{"requestId":"req_1","by":"2"}';
    const extension = { type: 'HoldExtended', requestId: 'req_1', by: 2n };
    expect(decode(stored({ type: 'HoldExtended', version: 1, data: extendedData })).event).toStrictEqual(extension);
    const borne = decode(stored({ type: 'UsageWrittenOff', version: 1, data: '{"requestId":"req_1","amount":"1"}' }));
    expect(borne.event).toStrictEqual(writtenOff(1n));
  });

  it('of a system need not come from a request', () => {
    const system = { actor: 'system:start', commandId: 'cmd' };
    const { metadata: written } = encode(keyRevoked(), ID, system);
    expect(written).toBe('{"actor":"system:start","commandId":"cmd"}');
    expect(decode(stored({ metadata: written })).metadata).toEqual(system);
  });
});

describe('a stream that ended with its access', () => {
  const charge = {
    ...onDisk.HoldSettled[0],
    delivery: { ...onDisk.HoldSettled[0].delivery, ended: 'access_ended' as const },
  };
  const late = { ...onDisk.LateUsageCharged[0], delivery: charge.delivery };
  const release = { ...onDisk.HoldReleased[0], reason: 'access_ended' as const };

  it.each<DomainEvent>([charge, late, release])('is kept: $type', (event) =>
    expect(roundTrip(event)).toStrictEqual(event),
  );

  it.each<DomainEvent>([charge, late, release])(
    'is written as one that ran out of credits while a gateway runs that knows no other: $type',
    (event) => {
      const written = encode(event, ID, metadata, UNSTATED_VERSIONS);
      expect(written.version).toBe(UNSTATED_VERSIONS[event.type]);
      expect(written.data).toContain('"out_of_credits"');
      expect(decode(stored(written)).event).toStrictEqual(asWritten(event, written));
    },
  );
});

describe('an event that could not be read again', () => {
  it.each<[string, DomainEvent]>([
    ['money without end', toppedUp(10n ** 30n)],
    ['half a token', { ...onDisk.HoldSettled[0], usage: { ...noUsage, output: 0.5 } }],
    ['no name', { ...keyIssued(), keyId: '' }],
    ['no time', { ...listed, effectiveFrom: new Date(NaN) }],
    ['a time beyond the calendar', { ...listed, effectiveFrom: new Date(Date.UTC(12_026, 0, 1)) }],
  ])('is not written: %s', (_, event) => expect(() => encode(event, ID, metadata)).toThrow());

  it('is not written: metadata that nobody knows', () => {
    const withMore = { ...metadata, address: '192.0.2.1' };
    expect(() => encode(registered, ID, withMore)).toThrow('address');
  });
});

describe('an event that cannot be read', () => {
  const settledData = (change: object): string =>
    JSON.stringify({ ...(JSON.parse(onDisk.HoldSettled[1]) as object), ...change });

  it.each<[string, Partial<StoredEvent>]>([
    ['a type that is unknown', { type: 'KeyForgotten' }],
    ['a type that every object has', { type: 'constructor' }],
    ['a type that every prototype has', { type: '__proto__' }],
    ['a version from the future', { version: 2 }],
    ['a version that never was', { version: 0 }],
    ['data that is no JSON', { data: '{"keyId":"key_1"' }],
    ['data that is nothing', { data: 'null' }],
    ['data of another shape', { data: '{"keyId":"key_1"}' }],
    ['money as a number', { type: 'HoldExtended', data: '{"requestId":"req_1","by":2}' }],
    ['money as a fraction', { type: 'HoldExtended', data: '{"requestId":"req_1","by":"2.5"}' }],
    ['money in words', { type: 'HoldExtended', data: '{"requestId":"req_1","by":"0x10"}' }],
    ['negative tokens', { type: 'HoldSettled', data: settledData({ usage: { ...noUsage, output: -1 } }) }],
    [
      'a class of tokens that is unknown',
      { type: 'HoldSettled', data: settledData({ usage: { ...noUsage, audio: 1 } }) },
    ],
    ['metadata that is no JSON', { metadata: '' }],
    ['metadata without a command', { metadata: '{"actor":"admin"}' }],
    ['metadata that nobody knows', { metadata: '{"actor":"admin","commandId":"cmd","address":"192.0.2.1"}' }],
  ])('fails loudly, and says where: %s', (_, change) => {
    const event = stored(change);
    expect(() => decode(event)).toThrow(UnreadableEvent);
    expect(() => decode(event)).toThrow(`event ${event.type} v${event.version} at position 17 (account-ada@6) `);
  });
});

describe('an event of an older version', () => {
  it('of a registration in the clear is told as such', async () => {
    const type = 'AccountRegistered';
    const data = '{"name":"Ada","email":"ada@example.com","holder":"person"}';
    const { event } = decode(stored({ type, version: 1, data }));
    expect(event).toEqual({
      type,
      holder: 'person',
      personal: 'plain:{"name":"Ada","email":"ada@example.com"}',
    });
    const vault = createVault(createMemoryDataKeys());
    const { personal } = event as typeof registered;
    expect(await vault.open('acc_1', personal)).toEqual({ name: 'Ada', email: 'ada@example.com' });
    // Lifted only for who reads it: on disk stays what was, and what is in the way of reading is told.
    expect(() => decode(stored({ type, version: 1, data: '{"holder":"person"}' }))).toThrow(UnreadableEvent);
    expect(() => decode(stored({ type, version: 2, data }))).toThrow(UnreadableEvent);
  });

  it('is lifted to the shape of now before it is read', () => {
    // As it would be, had version 1 called the reason a cause.
    const shape = accountEventShapes.KeyRevoked;
    const later = {
      version: 2,
      lift: {
        1: (data: unknown) => {
          const { cause, ...rest } = data as { cause: string };
          return { ...rest, reason: cause };
        },
      },
    };
    const { version } = shape;
    Object.assign(shape, later);
    try {
      const old = stored({ version: 1, data: '{"keyId":"key_1","cause":"leaked"}' });
      expect(decode(old).event).toEqual(keyRevoked());
      expect(decode(stored({ version: 2 })).event).toEqual(keyRevoked());
      expect(encode(keyRevoked(), ID, metadata)).toMatchObject({ version: 2, data: onDisk.KeyRevoked[1] });
      expect(() => decode(stored({ version: 3 }))).toThrow('its version is unknown');
      expect(() => decode({ ...old, data: '{"cause":"leaked"}' })).toThrow('account-ada@6');
    } finally {
      Object.assign(shape, { version, lift: undefined });
    }
  });
});

describe('a write-off, while a gateway of an older release is running', () => {
  const beyond = { input: 3, cachedInput: 0, cacheWrite: 0, output: 5, reasoning: 2 };
  const event = { ...writtenOff(9n), beyond };
  it('is written so that the older release reads the amount and the output tokens, and the newer all of it', () => {
    const { version, data } = encode(event, ID, metadata, UNSTATED_VERSIONS);
    expect({ version, data: JSON.parse(data) as unknown }).toEqual({
      version: 2,
      data: { requestId: 'req_1', amount: '9', beyond, beyondLimit: 7 },
    });
    expect(decode(stored({ type: event.type, version, data })).event).toStrictEqual(event);
  });
  it('reads the output tokens of the older release', () => {
    const data = '{"requestId":"req_1","amount":"9","beyondLimit":7}';
    expect(decode(stored({ type: event.type, version: 2, data })).event).toStrictEqual(writtenOff(9n, 'req_1', 7));
  });
});

describe('prices, while a gateway of an older release is running', () => {
  const effectiveFrom = new Date('2026-02-01T00:00:00.000Z');
  const ratesOnDisk = { input: '150000', cachedInput: '75000', cacheWrite: '150000', output: '600000', reasoning: '0' };

  it('are written as rates, without what the provider bills, and read as lines per million tokens', () => {
    const written = encode(listed, ID, metadata, UNSTATED_VERSIONS);
    const { lines: _, cost: __, ...facts } = listed.entry;
    expect({ version: written.version, data: JSON.parse(written.data) as unknown }).toEqual({
      version: 1,
      data: { version: 3, effectiveFrom: effectiveFrom.toISOString(), entry: { ...facts, rates: ratesOnDisk } },
    });
    const withoutCost = { ...listed, entry: { ...listed.entry, cost: null } };
    expect(decode(stored(written)).event).toStrictEqual(withoutCost);
    expect(asWritten(listed, written)).toStrictEqual(withoutCost);
  });

  it('of version 1 cost exactly what their rates cost, for every usage', () => {
    const { lines: _, cost: __, ...facts } = listed.entry;
    const byClass = <Value>(value: fc.Arbitrary<Value>) =>
      fc.record({ input: value, cachedInput: value, cacheWrite: value, output: value, reasoning: value });
    fc.assert(
      fc.property(byClass(fc.bigInt(0n, 10n ** 10n)), byClass(fc.nat(10_000_000)), (rates, usage) => {
        const texts = Object.fromEntries(Object.entries(rates).map(([one, rate]) => [one, rate.toString()]));
        const data = { version: 3, effectiveFrom: effectiveFrom.toISOString(), entry: { ...facts, rates: texts } };
        const { event } = decode(stored({ type: 'PriceListed', version: 1, data: JSON.stringify(data) }));
        if (event.type !== 'PriceListed') throw new Error('it is a price');
        const { lines } = event.entry;
        // The lines are per million tokens in nano-USD: a millionth of a nano-USD is added up, and rounded up once.
        const sum = lines.reduce((total, { match, price }) => total + BigInt(usage[match.class]) * price, 0n);
        expect(lines.map(({ per }) => per)).toEqual(Array(5).fill(1_000_000));
        expect((sum + 999_999n) / 1_000_000n).toBe(cost(usage, rates));
      }),
    );
  });

  it('of a delisting does not state that the provider ended the model', () => {
    const [event] = onDisk.ModelDelisted;
    const written = encode(event, ID, metadata, { ...READABLE_VERSIONS, ModelDelisted: 1 });
    const data = { model: 'gpt-4o', effectiveFrom: '2026-12-01T00:00:00.000Z', reason: 'its end' };
    expect(JSON.parse(written.data)).toEqual(data);
    expect(decode(stored(written)).event).toStrictEqual({ ...event, endedByProvider: false });
  });

  it('cannot be withdrawn', () =>
    expect(() => encode(onDisk.PriceWithdrawn[0], ID, metadata, UNSTATED_VERSIONS)).toThrow(NotReadableByAll));
});

describe('lots with an end and suspensions with a cause', () => {
  const before: readonly [string, DomainEvent, string][] = [
    ['a suspension by staff', suspended(), '{"reason":"resale"}'],
    ['a reinstatement by staff', reinstated(), '{"reason":"appeal"}'],
    [
      'a top-up without an end',
      toppedUp(5n),
      '{"lotId":"lot_1","amount":"5","source":{"kind":"grant","reason":"welcome"}}',
    ],
    ['the end of a lot at closing', expired(5n), '{"lotId":"lot_1","amount":"5","reason":"account_closed"}'],
  ];
  it.each(before)(
    '%s is read from version 1, and written in it while a gateway runs that reads no other',
    (_, event, data) => {
      expect(decode(stored({ type: event.type, version: 1, data })).event).toStrictEqual(event);
      const written = encode(event, ID, metadata, { [event.type]: 1 });
      expect(written).toMatchObject({ version: 1, data });
      expect(asWritten(event, written)).toStrictEqual(event);
    },
  );

  it.each<DomainEvent>([
    suspended('a payment is disputed', { kind: 'dispute', disputeId: 'dis_1' }),
    reinstated('debt repaid', { kind: 'debt' }),
    { ...toppedUp(5n), endsAt: AT },
    { ...expired(5n), reason: 'ended' },
  ])('is kept, and refused while a gateway runs that would misread it: $type', (event) => {
    expect(roundTrip(event)).toStrictEqual(event);
    expect(() => encode(event, ID, metadata, { [event.type]: 1 })).toThrow(NotReadableByAll);
  });
});

describe('what needs a second person', () => {
  const [withEnd, dataWithEnd] = rolesOnDisk.ApprovalAsked;
  const ofGrant = { ...withEnd, act: { kind: 'grant', accountId: 'acc_1', amount: 5n } } as const;
  const data = JSON.stringify({
    ...(JSON.parse(dataWithEnd) as object),
    act: { kind: 'grant', accountId: 'acc_1', amount: '5' },
  });
  const act = { kind: 'refund', accountId: 'acc_1', paymentId: 'pay_1', refundId: 'ref_1', amount: 5n } as const;
  const ofRefund: DomainEvent = { ...ofGrant, act };

  it('is a grant in version 1, in which a grant is written while a gateway runs that reads no other', () => {
    expect(decode(stored({ type: 'ApprovalAsked', version: 1, data })).event).toStrictEqual(ofGrant);
    expect(encode(ofGrant, ID, metadata, { ApprovalAsked: 1 })).toMatchObject({ version: 1, data });
  });

  it('is a refund, too, which is refused while a gateway runs that cannot read it', () => {
    expect(roundTrip(ofRefund)).toStrictEqual(ofRefund);
    expect(encode(ofRefund, ID, metadata).data).toContain(
      '{"act":{"kind":"refund","accountId":"acc_1","paymentId":"pay_1","refundId":"ref_1","amount":"5"}',
    );
    expect(() => encode(ofRefund, ID, metadata, { ApprovalAsked: 1 })).toThrow(NotReadableByAll);
  });
});

describe('a version of the terms', () => {
  const inForceAtOnce: DomainEvent = {
    ...{ type: 'TermsPublished', document: 'terms', version: '2026-01', sha256: 'abc' },
    ...{ summary: '', significant: false, effectiveAt: null },
  };
  const data = '{"version":"2026-01","sha256":"abc"}';

  it('that takes effect at once is read from version 1, and written as version 1 while an older gateway runs', () => {
    expect(decode(stored({ type: 'TermsPublished', version: 1, data })).event).toStrictEqual(inForceAtOnce);
    expect(encode(inForceAtOnce, ID, metadata, { TermsPublished: 1 })).toMatchObject({ version: 1, data });
  });

  it.each([
    ['of another document', { document: 'privacy' }],
    ['that takes effect later', { effectiveAt: new Date('2026-12-20T00:00:00.000Z') }],
  ])('%s is not written while a gateway runs that reads only version 1', (_, changed) => {
    const event = { ...inForceAtOnce, ...changed } as DomainEvent;
    expect(() => encode(event, ID, metadata, { TermsPublished: 1 })).toThrow(NotReadableByAll);
  });
});

describe('an event, while a gateway of an older release is running', () => {
  const newest = accountEventShapes.KeyRevoked.version + 1;
  /** As if the newest version had a new field `by`, which the version before cannot express unless it is `staff`. */
  const later = {
    version: newest,
    schema: z.object({ keyId: z.string(), reason: z.string(), by: z.string() }),
    lift: { 1: (data: unknown) => ({ ...(data as object), by: 'staff' }) },
    lower: {
      1: (data: unknown) => {
        const { by, ...rest } = data as { readonly by: string };
        return by === 'staff' ? rest : undefined;
      },
    },
  };
  const original = { ...accountEventShapes.KeyRevoked };
  beforeAll(() => void Object.assign(accountEventShapes.KeyRevoked, later));
  afterAll(() => void Object.assign(accountEventShapes.KeyRevoked, { lower: undefined, lift: undefined, ...original }));
  const revoked = (by: string) => ({ ...keyRevoked(), by }) as DomainEvent;
  const old = { KeyRevoked: 1 };

  it('is written in its newest version if every run reads that', () => {
    expect(encode(revoked('holder'), ID, metadata, { KeyRevoked: newest })).toMatchObject({ version: newest });
  });

  it('is written in the version before, and taken as it will be read', () => {
    const written = encode(revoked('staff'), ID, metadata, old);
    expect(written).toMatchObject({ version: 1, data: onDisk.KeyRevoked[1] });
    expect(asWritten(revoked('staff'), written)).toEqual(decode(stored(written)).event);
  });

  it('is refused if the version before cannot express it', () => {
    expect(() => encode(revoked('holder'), ID, metadata, old)).toThrow(NotReadableByAll);
  });

  it('is refused if its type is new to a run', () => {
    expect(() => encode(revoked('staff'), ID, metadata, {})).toThrow('KeyRevoked version 2 cannot be written');
  });
});

describe('what several runs can read', () => {
  it('is the oldest version of each type that all of them know', () => {
    const all = [
      { A: 3, B: 1, C: 2 },
      { A: 2, B: 4 },
      { A: 5, B: 2, C: 9 },
    ];
    expect(readableByAll(all)).toEqual({ A: 2, B: 1 });
  });

  it('is never more than this software writes, if one of them does not state it', () => {
    for (const [type, version] of Object.entries(readableByAll([READABLE_VERSIONS, UNSTATED_VERSIONS])))
      expect(version).toBeLessThanOrEqual(READABLE_VERSIONS[type] ?? 0);
  });
});

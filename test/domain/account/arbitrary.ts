import fc from 'fast-check';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import type { LotSource } from '../../../src/domain/account/events.ts';
import type { Limits } from '../../../src/domain/account/limits/limits.ts';
import type { Rates, Usage } from '../../../src/domain/money.ts';
import {
  acceptTerms,
  AT,
  delivery,
  erase,
  issueKey,
  register,
  rehashKey,
  reinstate,
  release,
  replaceKey,
  request,
  revokeKey,
  suspend,
} from './examples.ts';
import { anyConduct, anyEnd, termsInForce } from './conduct/arbitrary.ts';
import { anyRefund, lotId } from './refunds/arbitrary.ts';

// Few names and small amounts, so that commands meet: the same lots, the same requests, credits that run out.
const requestId = fc.constantFrom('req_1', 'req_2', 'req_3', 'req_4');
const keyId = fc.oneof({ weight: 9, arbitrary: fc.constant('key_1') }, { weight: 1, arbitrary: fc.constant('key_2') });
const amount = fc.bigInt(-1n, 30n);
const beyond = fc.record({
  input: fc.nat(3),
  cachedInput: fc.nat(3),
  cacheWrite: fc.nat(3),
  output: fc.nat(9),
  reasoning: fc.nat(3),
});
const usage: fc.Arbitrary<Usage> = fc.record({
  input: fc.nat(9),
  cachedInput: fc.nat(3),
  cacheWrite: fc.nat(3),
  output: fc.nat(20),
  reasoning: fc.nat(9),
});
const rate = fc.bigInt(0n, 2500n);
const rates: fc.Arbitrary<Rates> = fc.record({
  input: rate,
  cachedInput: rate,
  cacheWrite: rate,
  output: rate,
  reasoning: rate,
});
const price = fc.record({ model: fc.constant('simulated-small'), version: fc.integer({ min: 1, max: 9 }), rates });

// Late on the last evening of a month, so that days and months end as well as minutes.
const EVENING = AT + 11.98 * 60 * 60_000;
const at = fc
  .oneof(
    { weight: 6, arbitrary: fc.nat(40) },
    { weight: 3, arbitrary: fc.nat(140) },
    { weight: 1, arbitrary: fc.constantFrom(86_400, 31 * 86_400) },
  )
  .map((seconds) => EVENING + seconds * 1000);

const limits: fc.Arbitrary<Limits> = fc
  .record(
    {
      requestsPerMinute: fc.integer({ min: 1, max: 5 }),
      tokensPerMinute: fc.integer({ min: 20, max: 150 }),
      concurrentRequests: fc.integer({ min: 1, max: 3 }),
      spending: fc.record(
        { day: fc.bigInt(0n, 40n), month: fc.bigInt(0n, 60n), total: fc.bigInt(0n, 90n) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .map((one): Limits => structuredClone(one)); // Without the prototypes that fast-check leaves out.
const keyLimits = fc.oneof(
  { weight: 8, arbitrary: limits },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Limits>(
      {},
      { models: ['other'] },
      { models: ['simulated-small', 'other'] },
      { expiresAt: new Date(EVENING + 60_000).toISOString() },
    ),
  },
);

const grant: LotSource = { kind: 'grant', reason: 'test' };
const payment: LotSource = { kind: 'payment', reference: 'ord_1' };
const topUp = { type: fc.constant('TopUp' as const), lotId, amount: fc.bigInt(-1n, 60n) };

const moves = {
  grant: fc.record(
    { ...topUp, source: fc.constant(grant), endsAt: at },
    { requiredKeys: ['type', 'lotId', 'amount', 'source'] },
  ),
  pay: fc.record({ ...topUp, amount: fc.bigInt(-1n, 99n), source: fc.constant(payment) }),
  expire: fc.record({ type: fc.constant('ExpireLots' as const), at }),
  reserve: fc.record(
    {
      type: fc.constant('ReserveCredits' as const),
      requestId,
      amount,
      keyId,
      runId: fc.constant('run_1'),
      price,
      request: fc.nat(60).map((inputTokensBound) => ({ ...request, inputTokensBound, outputTokensBound: 9 })),
      at,
      terms: termsInForce,
    },
    { requiredKeys: ['type', 'requestId', 'amount', 'keyId', 'runId', 'price', 'request', 'at'] },
  ),
  extend: fc.record({ type: fc.constant('ExtendHold' as const), requestId, by: amount, at, tokens: fc.nat(40) }),
  settle: fc.record(
    { type: fc.constant('SettleHold' as const), requestId, usage, delivery: fc.constant(delivery), beyond },
    { requiredKeys: ['type', 'requestId', 'usage', 'delivery'] },
  ),
  release: requestId.map(release),
  chargeLate: fc.record(
    {
      type: fc.constant('ChargeLateUsage' as const),
      requestId,
      keyId,
      usage,
      price,
      delivery: fc.constant(delivery),
      at,
      beyond,
    },
    { requiredKeys: ['type', 'requestId', 'keyId', 'usage', 'price', 'delivery', 'at'] },
  ),
  setKeyLimits: fc.record({ type: fc.constant('SetKeyLimits' as const), keyId, limits: keyLimits }),
  setAccountLimits: fc.record({ type: fc.constant('SetAccountLimits' as const), limits }),
} satisfies Record<string, fc.Arbitrary<AccountCommand>>;

const lowBalance = fc
  .constantFrom(null, 0n, 3n, 10n, 20n)
  .map((amount): AccountCommand => ({ type: 'SetLowBalanceThreshold', amount }));

const anyOther: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 3, arbitrary: moves.grant },
  { weight: 4, arbitrary: moves.pay },
  { weight: 2, arbitrary: moves.expire },
  { weight: 14, arbitrary: anyRefund },
  { weight: 10, arbitrary: moves.reserve },
  { weight: 3, arbitrary: moves.extend },
  { weight: 6, arbitrary: moves.settle },
  { weight: 3, arbitrary: moves.release },
  { weight: 2, arbitrary: moves.chargeLate },
  { weight: 2, arbitrary: moves.setKeyLimits },
  { weight: 1, arbitrary: moves.setAccountLimits },
  { weight: 1, arbitrary: lowBalance },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      register(),
      acceptTerms(),
      suspend(),
      reinstate(),
      reinstate(),
      issueKey('key_1'),
      issueKey('key_2'),
      replaceKey('key_1', 'key_2'),
      { ...replaceKey('key_1', 'key_2'), overlapUntil: new Date(EVENING + 90_000).toISOString() } as AccountCommand,
      { ...replaceKey('key_1', 'key_2'), overlapUntil: new Date(EVENING + 90_000).toISOString() } as AccountCommand,
      rehashKey(),
      revokeKey('key_2'),
      erase(),
    ),
  },
  { weight: 4, arbitrary: anyConduct },
);

/** Any command on an account, mostly commands that move credits. One in fifty ends the account. */
export const anyCommand: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 49, arbitrary: anyOther },
  { weight: 1, arbitrary: anyEnd },
);

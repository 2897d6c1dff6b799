import fc from 'fast-check';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import type { Rates, Usage } from '../../../src/domain/money.ts';
import {
  acceptTerms,
  delivery,
  issueKey,
  register,
  reinstate,
  release,
  request,
  revokeKey,
  suspend,
} from './examples.ts';

// Few names and small amounts, so that commands meet: the same lots, the same requests, credits that run out.
const requestId = fc.constantFrom('req_1', 'req_2', 'req_3', 'req_4');
const keyId = fc.oneof({ weight: 9, arbitrary: fc.constant('key_1') }, { weight: 1, arbitrary: fc.constant('key_2') });
const amount = fc.bigInt(-1n, 30n);
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
const source = fc.constant({ kind: 'grant', reason: 'test' } as const);

const moves = {
  topUp: fc.record({
    type: fc.constant('TopUp' as const),
    lotId: fc.constantFrom('lot_1', 'lot_2', 'lot_3', 'lot_4'),
    amount: fc.bigInt(-1n, 60n),
    source,
  }),
  reserve: fc.record({
    type: fc.constant('ReserveCredits' as const),
    requestId,
    amount,
    keyId,
    runId: fc.constant('run_1'),
    price,
    request: fc.constant(request),
  }),
  extend: fc.record({ type: fc.constant('ExtendHold' as const), requestId, by: amount }),
  settle: fc.record({ type: fc.constant('SettleHold' as const), requestId, usage, delivery: fc.constant(delivery) }),
  release: requestId.map(release),
  chargeLate: fc.record({
    type: fc.constant('ChargeLateUsage' as const),
    requestId,
    keyId,
    usage,
    price,
    delivery: fc.constant(delivery),
  }),
} satisfies Record<string, fc.Arbitrary<AccountCommand>>;

/** Any command on an account, mostly such as move credits. */
export const anyCommand: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 4, arbitrary: moves.topUp },
  { weight: 10, arbitrary: moves.reserve },
  { weight: 3, arbitrary: moves.extend },
  { weight: 6, arbitrary: moves.settle },
  { weight: 3, arbitrary: moves.release },
  { weight: 2, arbitrary: moves.chargeLate },
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
      revokeKey('key_2'),
    ),
  },
);

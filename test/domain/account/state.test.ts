import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ACCOUNT_STATE_VERSION, evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import { AT, customer, extended, limitsSet, reserved, released, suspended, toppedUp } from './examples.ts';

describe('the state of an account', () => {
  // States are kept as snapshots. Where this test fails because a fold comes out differently, raise ACCOUNT_STATE_VERSION
  // as well, or accounts would be decided on states that the software of now would not have come to.
  it('is of the version that says so', () => {
    const history = [
      ...customer,
      toppedUp(10n),
      reserved(3n),
      extended(1n, 'req_1', AT + 1000, 7),
      limitsSet({ requestsPerMinute: 2, spending: { day: 9n } }),
      reserved(2n, 'req_2'),
      released(2n, 'req_2'),
      suspended(),
    ];
    const state = history.reduce(evolveAccount, initialAccount());
    const shown = inspect({ version: ACCOUNT_STATE_VERSION, ...state }, { depth: null, compact: 20, breakLength: 200 });
    expect(shown).toMatchInlineSnapshot(`
      "{
        version: 11,
        standing: {
          status: 'suspended',
          registration: { holder: 'person', personal: 'v1.c2VhbGVk' },
          termsVersion: '2026-01',
          suspensions: [ { cause: { kind: 'staff' }, reason: 'resale' } ],
          closingReason: null,
          rest: null,
          erased: false
        },
        members: Map(0) {},
        duplicates: Map(0) {},
        keys: Map(1) { 'key_1' => { name: 'laptop', hint: 'wxyz', pepperIds: [ 'pepper_1' ], revoked: false } },
        wallet: {
          toppedUp: 10n,
          charged: 0n,
          reversed: 0n,
          repaid: 0n,
          refunded: 0n,
          chargedBack: 0n,
          expired: 0n,
          forfeited: 0n,
          waived: 0n,
          balance: 10n,
          locked: 0n,
          held: 4n,
          lots: Map(1) {
            'lot_1' => {
              amount: 10n,
              source: { kind: 'grant', reason: 'welcome' },
              endsAt: null,
              age: 0,
              remaining: 10n,
              heldForRefund: 0n,
              frozen: 0n,
              used: 0n,
              repaid: 0n,
              reversed: 0n,
              refunded: 0n,
              chargedBack: 0n,
              expired: 0n,
              forfeited: 0n,
              waived: 0n,
              disputes: Map(0) {},
              awaited: [],
              ended: null
            }
          },
          spentLots: Map(0) {},
          holds: Map(1) {
            'req_1' => {
              amount: 4n,
              keyId: 'key_1',
              runId: 'run_1',
              price: { model: 'simulated-small', version: 1, rates: { input: 1000n, cachedInput: 1000n, cacheWrite: 1000n, output: 1000n, reasoning: 1000n } },
              at: 1769860800000,
              tokens: 150,
              extended: { tokens: 7, last: { at: 1769860801000, tokens: 7 } }
            }
          },
          refunds: Map(0) {},
          debts: [],
          reversals: Map(0) {},
          marked: Set(0) {},
          nextEnd: null
        },
        tallies: {
          at: 1769860801000,
          account: {
            limits: null,
            open: 1,
            spending: {
              day: { window: 20484, spent: 0n, held: 4n },
              dayBefore: { window: 0, spent: 0n, held: 0n },
              month: { window: 24312, spent: 0n, held: 4n },
              monthBefore: { window: 0, spent: 0n, held: 0n },
              total: { window: 0, spent: 0n, held: 4n }
            },
            minute: null
          },
          keys: Map(1) {
            'key_1' => {
              limits: { requestsPerMinute: 2, spending: { day: 9n } },
              open: 1,
              spending: {
                day: { window: 20484, spent: 0n, held: 4n },
                dayBefore: { window: 0, spent: 0n, held: 0n },
                month: { window: 24312, spent: 0n, held: 4n },
                monthBefore: { window: 0, spent: 0n, held: 0n },
                total: { window: 0, spent: 0n, held: 4n }
              },
              minute: {
                newest: 589953600,
                sums: { requests: 2, tokens: 157 },
                requests: [
                  0, 0, 0, 0, 0, 0, 0,
                  0, 0, 0, 0, 0, 2, 0,
                  0, 0, 0, 0, 0, 0, 0
                ],
                tokens: [
                  0, 0, 0, 0, 0,   0, 0,
                  0, 0, 0, 0, 0, 157, 0,
                  0, 0, 0, 0, 0,   0, 0
                ]
              }
            }
          },
          replacedBy: Map(0) {}
        },
        conduct: { notices: Map(0) {}, mayResell: false, violations: Map(0) {}, termination: null, contacts: Map(0) {} },
        lowBalance: null
      }"
    `);
  });
});

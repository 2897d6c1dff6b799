import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { available } from '../../../src/domain/account/wallet.ts';
import { anyCommand } from './arbitrary.ts';
import { audit, BrokenBooks } from '../../reference/audit-history.ts';
import { carryOut, openLedger } from '../../reference/command-ledger.ts';
import { areExpected, isExpected } from '../../reference/expected.ts';
import { plainBooks, plainWallet } from '../../reference/plain-wallet.ts';
import { informed } from './refunds/informed.ts';
import { aboutOnePayment } from './refunds/one-payment.ts';
import {
  acceptTerms,
  closed,
  customer,
  drawn,
  expired,
  issueKey,
  keyIssued,
  keyRevoked,
  paid,
  register,
  released,
  reserved,
  settled,
  toppedUp,
  writtenOff,
} from './examples.ts';

const fold = (events: readonly AccountEvent[]) => events.reduce(evolveAccount, initialAccount());

/** What comes of commands, one after another. */
const historyOf = (commands: readonly AccountCommand[]): readonly AccountEvent[] => {
  const history = [...customer];
  let account = fold(history);
  for (const asked of commands) {
    const decision = decideAccount(informed(asked, history), account);
    if (decision.kind === 'refused') continue;
    history.push(...decision.events);
    account = decision.events.reduce(evolveAccount, account);
  }
  return history;
};

const addingUp: readonly AccountCommand['type'][] = [
  ...(['ExtendHold', 'ChargeLateUsage', 'RecordRefund', 'WriteOffDebt', 'ReverseCharge'] as const),
];
const commands = fc.oneof(
  { weight: 3, arbitrary: fc.array(anyCommand, { minLength: 1, maxLength: 60, size: 'max' }) },
  { weight: 1, arbitrary: aboutOnePayment },
);

describe('whatever is asked of an account, in whatever order', () => {
  it('keeps every promise, and the wallet is what the books say', () =>
    fc.assert(
      fc.property(commands, (asked) => {
        const history = historyOf(asked);
        const books = audit(history);
        const { wallet, tallies } = fold(history);
        const { open, spending } = tallies.account;
        expect(plainWallet(wallet)).toEqual(plainBooks(books.money));
        expect([open, spending.total.spent, spending.total.held]).toEqual([
          books.holds.size,
          wallet.charged,
          wallet.held,
        ]);
        expect(available(wallet)).toBeGreaterThanOrEqual(0n);
      }),
      { numRuns: 500 },
    ));

  it('is decided as the reference ledger decides it', () =>
    fc.assert(
      fc.property(commands, (asked) => {
        const ledger = openLedger();
        // With the key that others of the commands would issue instead of the first.
        const opening = [register(), acceptTerms(), issueKey(), issueKey('key_2')];
        for (const command of opening) carryOut(ledger, command);
        const history = [...customer, keyIssued('key_2')];
        let account = fold(history);
        for (const command of asked.map((command) => structuredClone(command))) {
          const given = informed(command, history);
          const decision = decideAccount(given, account);
          const verdict = carryOut(ledger, given);
          const isRight =
            decision.kind === 'refused'
              ? isExpected(decision.refusal, verdict)
              : 'effects' in verdict && areExpected(decision.events, verdict.effects);
          // Otherwise the two are compared only to show how they differ.
          if (!isRight) expect({ given, decision }).toEqual({ given, decision: verdict });
          if (decision.kind === 'refused') continue;
          history.push(...decision.events);
          account = decision.events.reduce(evolveAccount, account);
          expect(plainWallet(account.wallet)).toEqual(plainBooks(ledger.money));
          expect(account.standing.suspensions.map(({ cause }) => cause)).toEqual(ledger.money.suspensions);
        }
      }),
      { numRuns: 1500 },
    ));

  it('is as if it had not been asked again', () =>
    fc.assert(
      fc.property(commands, anyCommand, (asked, again) => {
        // Steps that add up are told from repetitions by the ids of their commands alone.
        fc.pre(!addingUp.includes(again.type));
        const history = historyOf(asked);
        const account = fold(history);
        const command = informed(again, history);
        const first = decideAccount(command, account);
        fc.pre(first.kind === 'accepted');
        const second = decideAccount(
          command,
          first.kind === 'accepted' ? first.events.reduce(evolveAccount, account) : account,
        );
        expect(second.kind === 'accepted' ? second.events : []).toEqual([]);
      }),
      { numRuns: 500 },
    ));
});

describe('the audit', () => {
  const fine = [...customer, toppedUp(10n), reserved(4n)];
  const settlement = settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] });

  const ended = [...fine, closed(), keyRevoked()];
  const terminated: AccountEvent = { type: 'AccountTerminated', violationId: 'vio_1', reason: 'x', forfeited: true };
  const waivedClosing: AccountEvent = { ...closed(), rest: 'waived' };
  const forfeited: AccountEvent = { type: 'CreditsForfeited', lotId: 'lot_2', amount: 5n, reason: 'x' };

  it('finds nothing where nothing is wrong', () => expect(audit([...fine, settlement])).toMatchObject({ charged: 3n }));
  it.each([
    ['holds never exceed the balance', [...fine, reserved(7n, 'req_2')]],
    ['a hold ends once', [...fine, settlement, released(4n)]],
    ['a request holds credits once', [...fine, reserved(4n)]],
    ['a release gives all of the hold back', [...fine, released(3n)]],
    ['a receipt can be recomputed', [...fine, { ...settlement, cost: 2n }]],
    ['a charge is the cost', [...fine, { ...settlement, charged: 2n, released: 2n, drawn: [drawn(2n)] }]],
    ['the draws sum up to the charge', [...fine, { ...settlement, drawn: [drawn(2n)] }]],
    ['lots pay in their order', [...fine, { ...settlement, drawn: [drawn(3n, 'lot_2')] }]],
    ['cost = charged + written off', [...fine, settlement, writtenOff(1n)]],
    ['what is not charged is written off', [...customer, toppedUp(4n), reserved(4n), overdrawn()]],
    ['only an account in good standing', [...customer.slice(0, 1), toppedUp(4n), reserved(4n)]],
    ['only an account in good standing', [...ended, expired(6n), reserved(1n, 'req_2')]],
    ['a closed account has no live key', [...fine, closed(), expired(6n)]],
    ['promotional credits end with the account', ended],
    ['promotional credits end with the account', [...ended, released(4n), expired(10n)]],
    ['promotional credits end with the account', [...ended, expired(6n), released(4n)]],
    ['a lot loses all that no hold needs', [...ended, expired(5n)]],
    ['a lot loses all that no hold needs', [...ended, expired(7n)]],
    ['a lot loses all that no hold needs', [...fine, expired(6n)]],
    ['a lot loses all that no hold needs', [...customer, paid(5n), closed(), keyRevoked(), expired(5n, 'lot_2')]],
    ['terms bind by use in the append of a hold', [...fine, byUse(), settlement]],
    ['use binds to newer terms only', [...customer, toppedUp(4n), byUse('2025-12'), reserved(4n)]],
    ['an acceptance by use has the state of its notice', [...customer, toppedUp(4n), byUse('2026-02', 'failed')]],
    ['a violation suspends the account', [...fine, violated('suspension')]],
    ['a violation terminates the account', [...fine, violated('termination')]],
    ['a termination closes', [...fine, violated('termination'), terminated]],
    ['only a termination allows forfeiture', [...customer, paid(5n), closed(), keyRevoked(), forfeited]],
    ['the paid credits that are left are waived', [...customer, paid(5n), waivedClosing, keyRevoked()]],
    [
      'the paid credits that are left are forfeited',
      [...customer, paid(5n), violated('termination'), terminated, closed(), keyRevoked()],
    ],
    ['a closed account is granted nothing', [...ended, expired(6n), toppedUp(1n, 'lot_2')]],
  ])('can find that %s', (what, history) => {
    expect(() => audit(history)).toThrow(BrokenBooks);
    expect(() => audit(history)).toThrow(what);
  });
});

function byUse(version = '2026-02', notice: 'not_due' | 'failed' = 'not_due'): AccountEvent {
  return { type: 'TermsAccepted', version, how: 'use', notice };
}

function violated(consequence: 'suspension' | 'termination'): AccountEvent {
  return {
    type: 'ViolationRecorded',
    violationId: 'vio_1',
    category: 'damage',
    evidence: [],
    consequence,
    reason: 'x',
  };
}

function overdrawn(): AccountEvent {
  return settled(9, { held: 4n, charged: 4n, released: 0n, drawn: [drawn(4n)] });
}

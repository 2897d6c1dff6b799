import { accountDecider } from '../../../src/domain/account/decide.ts';
import type { Account } from '../../../src/domain/account/account.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { Credits } from '../../../src/domain/money.ts';
import type { ExecuteOnAccount } from '../../../src/proxy/engine/ledger.ts';

export const KEY_ID = 'key_1';

export type TestAccount = {
  readonly execute: ExecuteOnAccount;
  /** What happened since it was opened. */
  readonly events: readonly AccountEvent[];
  /** All that ever happened to it. */
  readonly history: readonly AccountEvent[];
  readonly state: Account;
};

/** An account in memory with this much credit and one key: the decider itself, without a log. */
export const openAccount = (credits: Credits): TestAccount => {
  const past: AccountEvent[] = [
    { type: 'AccountRegistered', holder: 'person', personal: 'sealed' },
    { type: 'TermsAccepted', version: '1', how: 'test' },
    { type: 'KeyIssued', keyId: KEY_ID, name: 'test', hash: 'h', pepperId: '1', hint: 'abcd' },
    { type: 'CreditsToppedUp', lotId: 'lot_1', amount: credits, source: { kind: 'grant', reason: 'test' } },
  ];
  let state = past.reduce(accountDecider.evolve, accountDecider.initial());
  const events: AccountEvent[] = [];
  const answers = new Map<string, Awaited<ReturnType<ExecuteOnAccount>>>();
  return {
    events,
    get history() {
      return [...past, ...events];
    },
    get state() {
      return state;
    },
    execute: (_accountId, command, { commandId }) => {
      const before = answers.get(commandId);
      if (before) return Promise.resolve(before);
      const decision = accountDecider.decide(command, state);
      if (decision.kind === 'refused') return Promise.resolve(decision);
      state = decision.events.reduce(accountDecider.evolve, state);
      events.push(...decision.events);
      const answer = { kind: 'accepted', events: decision.events, revision: 0, position: 0, repeated: false } as const;
      if (decision.events.length > 0) answers.set(commandId, answer);
      return Promise.resolve(answer);
    },
  };
};

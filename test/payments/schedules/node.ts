import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { mailDecider } from '../../../src/domain/mail/mail.ts';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import { paymentOfStream, paymentStream } from '../../../src/domain/payments/payment.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { decodeFact, journal, type Fact } from '../../../src/eventstore/journal/codec.ts';
import { createInMemoryStore, type InMemoryLog } from '../../../src/eventstore/memory/in-memory.ts';
import { createCreem } from '../../../src/payments/creem/creem.ts';
import { createPayments, type Payments } from '../../../src/payments/payments.ts';
import type { PaymentAlert } from '../../../src/payments/payments-options.ts';
import { reactionCommandId, type Process } from '../../../src/reactions/process.ts';
import { createOpenPayments } from '../../../src/projections/views/open-payments.ts';

/** The process was killed. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export type NodeOptions = {
  readonly log: InMemoryLog;
  readonly partner: Parameters<typeof createCreem>[0];
  readonly now: () => Date;
  readonly alarm: (alert: PaymentAlert) => void;
};

export type Node = {
  readonly payments: Payments;
  readonly accounts: ReturnType<typeof createAccounts>;
  readonly stream: (accountId: string) => string;
  /** A member of the staff approves a request for a refund. */
  approve(paymentId: string, refundId: string, commandId: string): Promise<unknown>;
  /** Handles the facts after a position of the log, as the processes of payments and closings do. Returns how many there were. */
  react(after: number): Promise<number>;
  /** The node ends at its n-th step from now, before or after the step is carried out. */
  killAfter(steps: number, when: 'before' | 'after'): void;
  close(): Promise<void>;
};

const createAccounts = (store: ReturnType<typeof createInMemoryStore>, committer: ReturnType<typeof createCommitter>) =>
  createCommands({ store, committer, codec: journal, decider: accountDecider });

const factsOf = (log: InMemoryLog): readonly Fact[] => log.events.map((stored) => decodeFact(stored));

/** The payments part of one gateway. Several nodes can share a log. A node can be killed before or after any step. */
export const createNode = ({ log, partner: partnerOptions, now, alarm }: NodeOptions): Node => {
  const store = createInMemoryStore(log);
  const committer = createCommitter({ store });
  const writing = { store, committer, codec: journal };
  const accounts = createAccounts(store, committer);
  const payments = createCommands({ ...writing, decider: paymentDecider });
  const mails = createCommands({ ...writing, decider: mailDecider });
  const partner = createCreem(partnerOptions);
  let left = Number.POSITIVE_INFINITY;
  let when: 'before' | 'after' = 'before';

  /** A step outside the process itself: everything between two of them is lost in a kill. */
  const step =
    <Args extends readonly unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const isLast = left-- === 0;
      if (left < -1 || (isLast && when === 'before')) throw new Killed();
      const result = await work(...args);
      if (isLast || left < -1) throw new Killed();
      return result;
    };

  const openPayments = () => {
    const view = createOpenPayments();
    const facts = factsOf(log);
    void view.apply(facts, facts.length, 0);
    return view;
  };
  const made = createPayments({
    payments: { ...payments, execute: step(payments.execute), read: step(payments.read) },
    accounts: {
      ...accounts,
      execute: step((...args: Parameters<typeof accounts.execute>) => accounts.execute(...args)),
      read: step(accounts.read),
    },
    mails: { ...mails, execute: step(mails.execute) },
    partner: {
      ...partner,
      checkout: step(partner.checkout),
      refund: step(partner.refund),
      checkoutById: step(partner.checkoutById),
      transactionById: step(partner.transactionById),
      transactions: step(partner.transactions),
    },
    paymentOf: step(async ({ transactionId, orderId }) => {
      for (const { event, stream } of factsOf(log)) {
        if (event.type !== 'PaymentCompleted' && event.type !== 'PaymentQuarantined') continue;
        if (event.transactionId === transactionId || event.orderId === orderId) return paymentOfStream(stream);
      }
      return Promise.resolve(undefined);
    }),
    unpaid: step(async () => Promise.resolve(openPayments().unpaid())),
    expired: step(async (after) => Promise.resolve(openPayments().expired(after))),
    openDisputes: step(async () => Promise.resolve(openPayments().disputes())),
    customerOf: () => Promise.resolve({ email: 'ada@example.com', name: 'Ada' }),
    kept: {
      keep: step(() => Promise.resolve()),
      list: () => Promise.resolve([]),
      open: () => Promise.resolve(undefined),
      deleteOld: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    publicUrl: () => 'http://localhost:8080',
    now,
    alarm,
  });

  /** Returns whether the fact is done. */
  const handle = async ({ name, types, react }: Process, fact: Fact): Promise<boolean> => {
    if (!types.has(fact.event.type)) return true;
    for (const [n, reaction] of (await react(fact)).entries()) {
      const commandId = reactionCommandId(name, fact.id, n);
      const outcome = await reaction({ actor: `system:${name}`, commandId });
      if (outcome.kind === 'refused') throw new Error(`${fact.event.type} caused ${outcome.refusal.code}`);
      if (outcome.kind === 'not_yet') return false;
    }
    return true;
  };

  /** The facts of closings that wait for requests in progress, and those of their streams after them. */
  let waiting: readonly Fact[] = [];
  const reactOfClosings = async (facts: readonly Fact[]): Promise<void> => {
    const all = [...waiting, ...facts];
    const undone: Fact[] = [];
    for (const fact of all) {
      const isBehind = undone.some(({ stream }) => stream === fact.stream);
      if (isBehind || !(await handle(made.closings, fact))) undone.push(fact);
    }
    waiting = undone;
  };

  const react = async (after: number): Promise<number> => {
    const facts = factsOf(log).slice(after);
    for (const fact of facts) await handle(made.process, fact);
    await reactOfClosings(facts);
    return facts.length;
  };

  return {
    payments: made,
    accounts,
    stream: accountStream,
    approve: (paymentId, refundId, commandId) =>
      payments.execute(
        paymentStream(paymentId),
        { type: 'ApproveRefund', refundId, reason: 'unused' },
        { actor: 'test', commandId },
      ),
    react,
    killAfter: (steps, at) => {
      left = steps;
      when = at;
    },
    close: async () => {
      await committer.close();
      await partner.close();
    },
  };
};

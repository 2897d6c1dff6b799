import { accountOfStream, accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import { mailDecider, mailStream, type MailCommand } from '../../../src/domain/mail/mail.ts';
import { PRICES_STREAM, priceDecider, type PriceCommand } from '../../../src/domain/prices/decide.ts';
import { TERMS_STREAM, termsDecider, type PublishTerms, type TermsCommand } from '../../../src/domain/terms/terms.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { createFold } from '../../../src/eventstore/fold.ts';
import { announcementIdOf } from '../../../src/eventstore/journal/announcement-id.ts';
import { decodeFact, journal, type Fact } from '../../../src/eventstore/journal/codec.ts';
import { createVault } from '../../../src/eventstore/journal/personal-data.ts';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { createNoticeProcess } from '../../../src/people/notices/notice-process.ts';
import type { NoticeOptions } from '../../../src/people/notices/notice-options.ts';
import { createMemoryDataKeys } from '../../support/postgres/data-keys.ts';

export const START = new Date('2026-12-01T00:00:00Z');
export const DAY_MS = 86_400_000;
export const days = (n: number): Date => new Date(START.getTime() + n * DAY_MS);

export class Died extends Error {}

/** A node dies at its n-th step: before the step, or after it. */
export type Death = { readonly step: number; readonly after: boolean };

/** Accounts, prices and terms on a log in memory, and nodes that send notices and mails. */
export const createWorld = () => {
  const store = createInMemoryStore(createInMemoryLog(() => START));
  const committer = createCommitter({ store });
  const all = { store, committer, codec: journal };
  const accounts = createCommands({ ...all, decider: accountDecider });
  const mails = createCommands({ ...all, decider: mailDecider });
  const prices = createCommands({ ...all, decider: priceDecider });
  const terms = createCommands({ ...all, decider: termsDecider });
  const vault = createVault(createMemoryDataKeys());
  let commands = 0;
  const metadata = () => ({ actor: 'test', commandId: `test ${++commands}` });
  const account = async (accountId: string, ...more: readonly AccountCommand[]): Promise<void> => {
    for (const command of more) {
      const outcome = await accounts.execute(accountStream(accountId), command, metadata());
      if (outcome.kind === 'refused') throw new Error(outcome.refusal.code);
    }
  };
  const register = async (accountId: string, ...owners: readonly string[]): Promise<void> => {
    const personal = await vault.seal(accountId, { name: accountId, email: `${accountId}@example.com` });
    await account(accountId, { type: 'RegisterAccount', holder: 'entity', personal, adult: true });
    await account(accountId, ...owners.map((personId) => ({ type: 'AddMember', personId, role: 'owner' }) as const));
  };
  const facts = async (): Promise<readonly Fact[]> => (await store.readAll(0, 1000)).map(decodeFact);
  /** By account, whether it has a notice of the announcement. */
  const rowsOf = async (announcementId: string) =>
    (await facts()).flatMap(({ event, stream }) =>
      event.type === 'NoticeQueued' && announcementIdOf(event.about) === announcementId
        ? [{ accountId: accountOfStream(stream) ?? '', noticeId: event.noticeId }]
        : [],
    );
  const users = new Set<string>();
  /** The rows are behind, so that accounts are asked for again that have their notice. */
  const withoutNotice: NoticeOptions['accountsWithoutNotice'] = async ({ after, limit }) => {
    const ids = new Set((await facts()).flatMap(({ stream }) => accountOfStream(stream) ?? []));
    return [...ids]
      .filter((id) => id > after)
      .toSorted()
      .slice(0, limit);
  };
  const options: NoticeOptions = {
    ...{ store, accounts, mails, vault },
    foldAccount: createFold({ store, codec: journal, decider: accountDecider }),
    foldTerms: createFold({ store, codec: journal, decider: termsDecider }),
    foldPrices: createFold({ store, codec: journal, decider: priceDecider }),
    accountsWithoutNotice: withoutNotice,
    usersWithoutNotice: async (wanted) => (await withoutNotice(wanted)).filter((id) => users.has(id)),
    toldOf: async (announcementId, after, limit) =>
      (await rowsOf(announcementId)).filter(({ accountId }) => accountId > after).slice(0, limit),
    progressed: () => undefined,
  };
  const received: string[] = [];

  const startNode = (death?: Death) => {
    let steps = 0;
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      const dies = steps++ === death?.step;
      if (dies && !death.after) throw new Died();
      const result = await work();
      if (dies) throw new Died();
      return result;
    };
    const mortal = <Run extends (...given: never[]) => Promise<unknown>>(execute: Run): Run =>
      ((...given: never[]) => step(() => execute(...given))) as Run;
    const process = createNoticeProcess({
      ...options,
      accounts: { ...accounts, execute: mortal(accounts.execute) },
      mails: { ...mails, execute: mortal(mails.execute) },
    });
    const handled = new Set<number>();
    /** Handles the facts of the log in order, as the process of a node does after a start at an old checkpoint. */
    const react = async (): Promise<void> => {
      for (let open = await facts(); open.some(({ position }) => !handled.has(position)); open = await facts()) {
        for (const fact of open.filter(({ position }) => !handled.has(position))) {
          if (process.types.has(fact.event.type)) {
            for (const reaction of await process.react(fact))
              await reaction({ actor: 'system:notices', commandId: '' });
          }
          handled.add(fact.position);
        }
      }
    };
    /** Sends each mail that waits. `outcomeOf` is what the server answers. */
    const send = async (outcomeOf: (to: string) => MailCommand): Promise<void> => {
      for (const { event, stream } of await facts()) {
        if (event.type !== 'MailQueued' || (await mails.read(stream)).state.status !== 'waiting') continue;
        await step(() => Promise.resolve(received.push(stream)));
        await step(() => mails.execute(stream, outcomeOf(event.to.id), metadata()));
      }
    };
    return { react, send, steps: () => steps };
  };

  return {
    ...{ options, register, account, facts, users, received, startNode },
    publish: async (command: TermsCommand) => terms.execute(TERMS_STREAM, command, metadata()),
    price: async (command: PriceCommand) => prices.execute(PRICES_STREAM, command, metadata()),
    mail: async (mailId: string) => (await mails.read(mailStream(mailId))).state,
    close: committer.close,
  };
};

const version = { document: 'terms', sha256: 'a'.repeat(64), significant: true } as const;
/** The terms as at first, and a significant change of them. */
export const FIRST: PublishTerms = {
  ...{ type: 'PublishTerms', ...version, version: '2026-11-30', summary: '', effectiveAt: null, at: START },
};
export const CHANGE: PublishTerms = {
  ...{ type: 'PublishTerms', ...version, version: '2026-12-20', summary: 'Refunds.', effectiveAt: days(20), at: START },
};

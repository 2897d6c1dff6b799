import { accountStream } from '../domain/account/account.ts';
import type { AccountEvent, SuspensionCause } from '../domain/account/events.ts';
import { mailStream, type MailCommand, type MailReference } from '../domain/mail/mail.ts';
import { formatUsd, type Credits } from '../domain/money.ts';
import { derivedId } from '../eventstore/ids.ts';
import { decode, type Fact } from '../eventstore/journal/codec.ts';
import { queueMail } from '../mail/templates/templates.ts';
import type { PeopleOptions } from './people-options.ts';

/** The events about the conduct of a holder that are mailed. */
export const TYPES_OF_CONDUCT = [
  ...(['ViolationRecorded', 'AccountSuspended', 'AccountReinstated', 'AccountTerminated'] as const),
  ...(['ResaleAuthorized', 'ResaleAuthorizationEnded'] as const),
] satisfies readonly AccountEvent['type'][];

/** Mails about the conduct of a holder, to the owners, or to the contact of an account without owners. */
export type ConductMails = {
  /** May be repeated. Other events send none. */
  about(accountId: string, fact: Fact): Promise<void>;
};

type Options = Pick<PeopleOptions, 'accounts' | 'mails' | 'store'>;

export const createConductMails = (options: Options): ConductMails => ({
  about: async (accountId, fact) => {
    const { state } = await options.accounts.read(accountStream(accountId));
    const compose = await mailAbout(options, accountId, fact);
    if (!compose) return;
    const owners = [...state.members].flatMap(([id, role]) => (role === 'owner' ? [id] : []));
    const recipients: readonly MailReference[] =
      owners.length > 0 ? owners.map((id) => ({ kind: 'person', id })) : [{ kind: 'account', id: accountId }];
    for (const to of recipients)
      await queue(options, `conduct-${derivedId('mail', `${fact.id} ${to.id}`)}`, compose(to));
  },
});

const queue = async ({ mails }: Options, mailId: string, command: MailCommand): Promise<void> => {
  const metadata = { actor: 'system:account-mails', commandId: derivedId('mail', mailId) };
  await mails.execute(mailStream(mailId), command, metadata, { mayRepeat: true });
};

type Compose = (to: MailReference) => MailCommand;

const mailAbout = async (options: Options, accountId: string, fact: Fact): Promise<Compose | undefined> => {
  const event = fact.event as AccountEvent;
  const params = { account_id: accountId, revision: String(fact.revision), at: fact.time.toISOString() };
  switch (event.type) {
    case 'ViolationRecorded': {
      const { category, consequence } = event;
      // The mails about the other consequences follow from their events.
      return consequence === 'warning' ? (to) => queueMail('account_warned', to, { ...params, category }) : undefined;
    }
    case 'AccountSuspended': {
      const category = await categoryOf(options, accountId, event.cause);
      const cause = event.cause.kind;
      return (to) => queueMail('account_suspended', to, { ...params, cause, ...category });
    }
    case 'AccountReinstated': {
      const cause = event.cause.kind;
      return (to) => queueMail('account_reinstated', to, { ...params, cause });
    }
    case 'AccountTerminated': {
      const { forfeited: isForfeited, violationId } = event;
      const category = await categoryOf(options, accountId, { kind: 'violation', violationId });
      const amount = isForfeited ? await forfeitedWith(options, fact) : await owedTo(options, accountId);
      const rest = { forfeited: isForfeited ? ('yes' as const) : ('no' as const), amount_usd: formatUsd(amount) };
      return (to) => queueMail('account_terminated', to, { ...params, ...rest, ...category });
    }
    case 'ResaleAuthorized':
      return (to) => queueMail('resale_authorized', to, params);
    case 'ResaleAuthorizationEnded':
      return (to) => queueMail('resale_ended', to, params);
    default:
      return undefined;
  }
};

const categoryOf = async ({ accounts }: Options, accountId: string, cause: SuspensionCause) => {
  if (cause.kind !== 'violation') return {};
  const { state } = await accounts.read(accountStream(accountId));
  const violation = state.conduct.violations.get(cause.violationId);
  return violation ? { category: violation.category } : {};
};

const owedTo = async ({ accounts }: Options, accountId: string): Promise<Credits> => {
  const { lots } = (await accounts.read(accountStream(accountId))).state.wallet;
  return [...lots.values()].reduce(
    (sum, { source, remaining }) => (source.kind === 'payment' ? sum + remaining : sum),
    0n,
  );
};

const PAGE = 500;

/** The credits that the same command forfeited. */
const forfeitedWith = async ({ store }: Options, { stream, revision }: Fact): Promise<Credits> => {
  let sum = 0n;
  let command: string | undefined;
  for (let from = revision; ; from += PAGE) {
    const page = await store.readStream(stream, from, PAGE);
    for (const { event, metadata } of page.map((stored) => decode(stored))) {
      command ??= metadata.commandId;
      if (metadata.commandId !== command) return sum;
      if (event.type === 'CreditsForfeited') sum += event.amount;
    }
    if (page.length < PAGE) return sum;
  }
};

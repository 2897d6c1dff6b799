import type { Account } from '../../src/domain/account/account.ts';
import type { AccountCommand } from '../../src/domain/account/decide.ts';
import type { PinnedPrice } from '../../src/domain/account/events.ts';
import type { Usage } from '../../src/domain/money.ts';
import type { StateAt } from '../../src/eventstore/commands.ts';
import type { AccountOutcome } from '../../test/eventstore/nodes.ts';
import { ACCOUNTS, type Step } from './plan.ts';

/** A short description of a step. */
export const whatOf = (step: Step): string => {
  switch (step.kind) {
    case 'restart':
      return `restart node ${step.node}`;
    case 'rewind':
      return `undo the last ${step.transactions} transactions`;
    case 'read':
      return `read ${ACCOUNTS[step.account]}`;
    case 'ask':
      return `#${step.id} ${ACCOUNTS[step.account]}: ${commandInWords(step.command)}`;
  }
};

export const answerOf = (answer: AccountOutcome | StateAt<Account> | Error | undefined): string => {
  if (!answer) return 'never';
  if (answer instanceof Error) return `${answer.name}: ${answer.message}`;
  if ('state' in answer)
    return `revision ${answer.revision}, balance ${answer.state.wallet.balance}, held ${answer.state.wallet.held}`;
  if (answer.kind === 'refused')
    return `refused, ${answer.refusal.code}${answer.refusal.funds ? ` ${show(answer.refusal.funds)}` : ''}`;
  if (answer.events.length === 0) return `done already, at revision ${answer.revision}`;
  const events = answer.events.map((event) => eventInWords(event)).join(' and ');
  return `${answer.repeated ? 'done before' : 'done'}, ${events}, at revision ${answer.revision}`;
};

/** Names and amounts, without fields that are the same in every history. */
const commandInWords = ({ type, ...fields }: AccountCommand): string => `${type} ${inWords(fields)}`.trimEnd();
export const eventInWords = ({ type, ...fields }: { readonly type: string }): string =>
  `${type} ${inWords({ ...fields, usage: undefined, price: undefined, keyId: undefined })}`.trimEnd();

const names = ['lotId', 'requestId', 'keyId', 'refundId', 'disputeId', 'reference'];
const amounts = [
  ...['version', 'amount', 'by', 'cost', 'charged', 'held', 'released', 'drawn', 'limits', 'at'],
  ...['source', 'endsAt', 'from', 'refunds', 'awaited', 'restored', 'cancelled', 'returned', 'debtReduced', 'granted'],
  ...['cause', 'chargedAt', 'balance', 'threshold'],
];

const inWords = (fields: object): string =>
  Object.entries(fields)
    .flatMap(([name, value]: [string, unknown]) => {
      if (value === undefined) return [];
      if (names.includes(name)) return [String(value)];
      if (amounts.includes(name)) return [`${name} ${show(value)}`];
      if (name === 'beyond') return [`beyond ${Object.values(value as Usage).join('/')}`];
      if (name === 'usage') return [`tokens ${Object.values(value as Usage).join('/')}`];
      if (name === 'price') return [`rates ${Object.values((value as PinnedPrice).rates).join('/')}`];
      return [];
    })
    .join(', ');

/** Amounts in nano-USD, without quotation marks. */
export const show = (value: unknown): string =>
  (JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? Number(one) : one)) ?? 'nothing').replaceAll(
    '"',
    '',
  );

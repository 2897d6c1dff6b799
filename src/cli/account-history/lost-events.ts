import { accountOfStream } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import type { PaymentEvent } from '../../domain/payments/events.ts';
import { paymentOfStream } from '../../domain/payments/payment.ts';
import { decodeEvent } from '../../eventstore/journal/codec.ts';
import type { RememberedEvent } from '../../eventstore/remembered-appends.ts';
import { paymentSentence } from '../payments/sentences.ts';
import { counted } from '../terminal/counted.ts';
import { plain, usd } from './plain-text.ts';
import { sentence } from './sentences.ts';

type Charges = { count: number; amount: bigint };

/**
 * Describes the events that a log lost when it went back in time. Each act on an account has its own line, because the
 * operator may have to repeat it. Charges are summed per account. Events of holds are only counted, because holds end
 * with their requests.
 */
export const lostInWords = (events: readonly RememberedEvent[]): readonly string[] => {
  const acts: string[] = [];
  const charges = new Map<string, Charges>();
  let holds = 0;
  for (const stored of events) {
    const accountId = accountOfStream(stored.stream);
    const event = decodeEvent(stored);
    if (accountId === undefined) {
      const isOfPayment = paymentOfStream(stored.stream) !== undefined;
      const words = isOfPayment ? paymentSentence(event as PaymentEvent) : event.type;
      acts.push(`${lineOf(stored, stored.stream)}  ${words}`);
      continue;
    }
    if (event.type === 'HoldSettled' || event.type === 'LateUsageCharged') {
      const sum = charges.get(accountId) ?? { count: 0, amount: 0n };
      charges.set(accountId, { count: sum.count + 1, amount: sum.amount + event.charged });
    } else if (isOfHold(event.type)) {
      holds++;
    } else {
      acts.push(`${lineOf(stored, accountId)}  ${sentence(event as AccountEvent)}`);
    }
  }
  return [
    ...section('Acts on accounts, payments, prices and terms that are gone; do again what still holds', acts),
    ...section(
      'Charges that are gone, so that their credits can be spent again',
      [...charges].map(([accountId, { count, amount }]) => `${accountId}  ${counted(count, 'charge')}, ${usd(amount)}`),
    ),
    ...(holds > 0 ? ['', `Beside these: ${counted(holds, 'event')} of holds.`] : []),
  ];
};

const isOfHold = (type: string): boolean =>
  ['CreditsReserved', 'HoldExtended', 'HoldReleased', 'UsageWrittenOff'].includes(type);

const lineOf = ({ time, position }: RememberedEvent, whose: string): string =>
  `${time.toISOString()}  ${position}  ${plain(whose)}`;

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];

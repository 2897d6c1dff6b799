import type { AccountEvent, Draw } from '../../domain/account/events.ts';
import type { Credits } from '../../domain/money.ts';

/** A lot with an end that has not been recorded, and what remains in it. A lot that is used up may get credits back. */
type Ending = readonly [lotId: string, endsAt: number, remaining: Credits];

export type EndingEvent = Extract<
  AccountEvent,
  { type: 'CreditsToppedUp' | 'HoldSettled' | 'LateUsageCharged' | 'ChargeReversed' | 'LotExpired' | 'AccountClosed' }
>;

/** The lots of an account that end at a time, as a text for its row; null if it has none. */
export const evolveEndings = (text: string | null, event: EndingEvent): string | null => {
  if (event.type === 'CreditsToppedUp') {
    const { lotId, endsAt, amount } = event;
    return endsAt === undefined ? text : write([...read(text), [lotId, endsAt, amount]]);
  }
  // Most accounts have none, and charges are frequent.
  if (text === null) return null;
  switch (event.type) {
    case 'HoldSettled':
    case 'LateUsageCharged':
      return write(changed(read(text), event.drawn, -1n));
    case 'ChargeReversed':
      return write(changed(read(text), event.returned, 1n));
    case 'LotExpired':
      return write(read(text).filter(([lotId]) => lotId !== event.lotId));
    case 'AccountClosed':
      // Closing ends all promotional lots, and no others have an end.
      return null;
  }
};

/** The earliest end of a lot with credits. */
export const nextEndIn = (text: string | null): Date | null => {
  const ends = read(text).flatMap(([, endsAt, remaining]) => (remaining > 0n ? [endsAt] : []));
  return ends.length === 0 ? null : new Date(Math.min(...ends));
};

const changed = (endings: readonly Ending[], draws: readonly Draw[], sign: bigint): readonly Ending[] =>
  endings.map(([lotId, endsAt, remaining]) => {
    const draw = draws.find((one) => one.lotId === lotId);
    return [lotId, endsAt, draw ? remaining + sign * draw.amount : remaining];
  });

const read = (text: string | null): readonly Ending[] =>
  text === null
    ? []
    : (JSON.parse(text) as [string, number, string][]).map(([lotId, endsAt, remaining]) => [
        lotId,
        endsAt,
        BigInt(remaining),
      ]);

const write = (endings: readonly Ending[]): string | null =>
  endings.length === 0
    ? null
    : JSON.stringify(endings.map(([lotId, endsAt, remaining]) => [lotId, endsAt, String(remaining)]));

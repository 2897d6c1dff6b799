import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { LOG_STREAM, type LogRewound } from '../../domain/log/rewinds.ts';
import { streamPages, type EventStore, type StoredFact } from '../event-store.ts';
import type { Checkpoint } from '../integrity/checkpoint.ts';
import type { EventLine } from '../integrity/verify/export-lines.ts';
import { decodeEvent } from './codec.ts';

/** A part of an earlier history of the log that was lost, as an operator acknowledged it in the log. */
export type LostHistory = Pick<LogRewound, 'commonPosition' | 'seenPosition'> & { readonly position: number };

const asLost = (stored: StoredFact): LostHistory[] => {
  const event = decodeEvent(stored);
  if (event.type !== 'LogRewound') return [];
  return [{ commonPosition: event.commonPosition, seenPosition: event.seenPosition, position: stored.position }];
};

export const lostHistoriesOf = async (store: Pick<EventStore, 'readStream'>): Promise<readonly LostHistory[]> => {
  const lost: LostHistory[] = [];
  for await (const page of streamPages(store, LOG_STREAM)) lost.push(...page.flatMap(asLost));
  return lost;
};

/** Reads a whole export. Lines that cannot be read are skipped, because the verification reports them. */
export const lostHistoriesIn = async (file: string): Promise<readonly LostHistory[]> => {
  const lost: LostHistory[] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (!line.includes('"LogRewound"')) continue;
    try {
      const { time, ...event } = JSON.parse(line) as EventLine;
      lost.push(...asLost({ ...event, time: new Date(time) }));
    } catch {
      continue;
    }
  }
  return lost;
};

/**
 * Splits checkpoints that were kept elsewhere: those that the log must contain, and those that may belong to a lost history.
 * A lost checkpoint was signed at the common position or after it.
 */
export const splitKept = (kept: readonly Checkpoint[], histories: readonly LostHistory[]) => {
  const isLost = ({ position }: Checkpoint): boolean =>
    histories.some(({ commonPosition, seenPosition }) => position >= commonPosition && position <= seenPosition);
  return { binding: kept.filter((one) => !isLost(one)), lost: kept.filter(isLost) };
};

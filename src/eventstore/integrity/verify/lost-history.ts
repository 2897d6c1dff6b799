import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { LOG_STREAM, type LogRewound } from '../../../domain/log/rewinds.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { decodeEvent } from '../../journal/codec.ts';
import { streamPages, type EventStore, type StoredFact } from '../../event-store.ts';
import type { EventLine } from './export-lines.ts';

/** A part of an earlier history of the log that was lost, as an operator has acknowledged it in the log. */
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

/** Reads an export from end to end; lines that cannot be read are for the verification to find. */
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
 * Checkpoints that were kept elsewhere, in two: those that the log must meet, and those that may be of a history that was
 * lost when the log went back in time. A checkpoint that was lost was signed at the common position or after it.
 */
export const splitKept = (kept: readonly Checkpoint[], histories: readonly LostHistory[]) => {
  const isLost = ({ position }: Checkpoint): boolean =>
    histories.some(({ commonPosition, seenPosition }) => position >= commonPosition && position <= seenPosition);
  return { binding: kept.filter((one) => !isLost(one)), lost: kept.filter(isLost) };
};

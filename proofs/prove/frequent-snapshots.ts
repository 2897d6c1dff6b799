import { deserialize, serialize } from 'node:v8';
import type { Account } from '../../src/domain/account/account.ts';
import type { Snapshots } from '../../src/eventstore/snapshots.ts';
import type { Surroundings } from './unsure-store.ts';

/** The newest snapshot of each stream. */
export type Kept = Map<string, { readonly revision: number; readonly token: string; readonly state: Buffer }>;

/** Histories are short, so a snapshot is due after a few events. */
const EVERY = 2;

/** Snapshots that processes share. The scheduler decides when they are written and found, and some look-ups fail. */
export const createFrequentSnapshots = (
  kept: Kept,
  { store, scheduler, trouble, nextReadFails }: Surroundings,
): Snapshots<Account> => ({
  find: (stream) =>
    new Promise((resolve) => {
      const fails = nextReadFails();
      scheduler.may(() => {
        const found = fails ? undefined : kept.get(stream);
        if (!found) return resolve(undefined);
        trouble.snapshots++;
        const { revision, token, state } = found;
        resolve({ revision, token, state: deserialize(state) as Account, nextDue: revision + EVERY });
      });
    }),
  take: (stream, account, { revision, token }) => {
    const state = serialize(account);
    scheduler.may(async () => {
      const [event] = await store.streams.readStream(stream, revision, 1);
      if (event?.token === token && revision > (kept.get(stream)?.revision ?? -1))
        kept.set(stream, { revision, token, state });
    });
    return revision + EVERY;
  },
  close: () => Promise.resolve(),
});

import pg from 'pg';
import { expect } from 'vitest';
import type { RunningGateway } from '../../../support/gateway.ts';
import { SOON } from '../../../support/soon.ts';
import type { Script } from '../../../support/scripted-upstream.ts';
import { query } from '../../../support/sql.ts';
import { send, type Sent } from '../../../support/traffic.ts';
import { question, type At, type Seen } from '../contract.ts';
import { begins, complete, role, says, sse, stays } from './wire.ts';

/** Nothing is appended until the returned is called, as when the database is slow. */
export const holdTheLog = async ({ house: { premises } }: Pick<At, 'house'>) => {
  const lock = new pg.Client({ connectionString: premises.databaseUrl });
  await lock.connect();
  await lock.query('begin; select * from log_head for update');
  return async () => {
    await lock.query('commit');
    await lock.end();
  };
};

/** What one gateway appends waits for the log: it has one connection for that, so that this tells of one append, not of two. */
export const appendWaits = ({ house: { premises } }: Pick<At, 'house'>): Promise<void> =>
  expect.poll(() => query(premises.databaseUrl, WAITING_APPENDS), SOON).toHaveLength(1);

/** All tests share a server, and each has a database of its own. */
const WAITING_APPENDS = `select pid from pg_stat_activity
  where datname = current_database() and application_name = 'kissapi-commits' and wait_event_type = 'Lock'`;

/** `happens` waits until all others are as far, and then until it has happened. */
export type OnStage = At & { readonly happens: () => Promise<void> };
/** One of several cases that a gateway lives through at once. */
type Case = { readonly name: string; readonly streamed: boolean; readonly see: (at: OnStage) => Promise<Seen> };

type Event = {
  /** When there are customers, and before they ask. */
  readonly before?: () => Promise<unknown>;
  readonly happen: (accountIds: readonly string[]) => Promise<unknown>;
};

export const cases = (name: string, see: Case['see'], ...kinds: readonly ('whole' | 'streamed')[]): readonly Case[] =>
  kinds.map((kind) => ({ name, streamed: kind === 'streamed', see }));

/** A provider that answers each case by a script of its own. */
export const createStage = ({ house, upstream }: Pick<At, 'house' | 'upstream'>) => {
  const scripts = new Map<unknown, Script>();
  let users = 0;
  upstream.play((response, body, request) => {
    const { user } = JSON.parse(body) as { user?: unknown };
    scripts.get(user)?.(response, body, request);
  });

  /** Plays them all at one gateway, each for a customer of its own, and lets it happen when each of them is ready. */
  return async (
    gateway: RunningGateway,
    played: readonly Case[],
    { before, happen }: Event,
  ): Promise<(at: At, name: string) => Promise<Seen>> => {
    const customers = await Promise.all(played.map(() => house.gateway.openAccount()));
    await before?.();
    const [allReady, happened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let ready = 0;
    const happens = (): Promise<void> => {
      if (++ready === played.length) allReady.resolve();
      return happened.promise;
    };
    const results = played.map(async ({ streamed, see }, n): Promise<Seen> => {
      const user = `user-${++users}`;
      const customer = customers[n] ?? expect.fail('each has a customer');
      const ask = (fields = {}) =>
        send(gateway, customer.apiKey, '/chat/completions', question(streamed, { user, ...fields }));
      const own = { ...upstream, play: (script: Script) => void scripts.set(user, script) };
      return see({ house, upstream: own, customer, streamed, ask, happens });
    });
    await Promise.race([allReady.promise, Promise.all(results)]);
    await happen(customers.map(({ accountId }) => accountId));
    happened.resolve();
    await Promise.allSettled(results);
    return ({ streamed }, name) => {
      const n = played.findIndex((one) => one.name === name && one.streamed === streamed);
      return results[n] ?? expect.fail(`"${name}" is not played`);
    };
  };
};

/** The upstream has been asked, and has said a word where it streams; something happens; then it says all there is to say. */
export const happensHalfWay = async ({ upstream, streamed, ask, happens }: OnStage): Promise<Sent> => {
  const line = stays(streamed, streamed ? sse(role, says('a')) : undefined);
  upstream.play(line.script);
  const sent = ask();
  const response = await line.asked;
  if (streamed) await expect.poll(() => sent.words(), SOON).toBe(1);
  await happens();
  if (!streamed) begins(response, false);
  response.end(complete(streamed));
  return sent;
};

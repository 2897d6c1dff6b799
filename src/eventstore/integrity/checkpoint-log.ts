import type { KeyObject } from 'node:crypto';
import pg from 'pg';
import {
  digestOf,
  isSignedBy,
  keyIdOf,
  NO_CHECKPOINT,
  publicKeyOf,
  signCheckpoint,
  type Checkpoint,
} from './checkpoint.ts';
import { createPool } from '../postgres/connections.ts';

/** A checkpoint is due once as many events came since the last, or once any came and the last is as old. */
export type Due = { readonly events: number; readonly ms: number };

export type Signed =
  | { readonly kind: 'signed'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'nothing' }
  /** The log is not what was signed before, so it is not signed again. */
  | { readonly kind: 'tampered'; readonly position: number; readonly what: string };

export type CheckpointLog = {
  /** Signs the head, unless nothing is due, another gateway is first, or what was signed before does not hold. */
  sign(due: Due): Promise<Signed>;
  newest(): Promise<Checkpoint | undefined>;
  /** Trusts only what the database has: the log went back in time, which is known otherwise. */
  forget(): void;
  close(): Promise<void>;
};

type Row = {
  readonly position: string;
  /** Milliseconds since 1970. */
  readonly time: string;
  readonly hash: string;
  readonly previous: string;
  readonly key_id: string;
  readonly signature: string;
};

const columns = `position, extract(epoch from time) * 1000 as time, encode(hash, 'hex') as hash,
  encode(previous, 'hex') as previous, key_id, translate(encode(signature, 'base64'), E'\\n', '') as signature`;

const asCheckpoint = ({ position, time, hash, previous, key_id: keyId, signature }: Row): Checkpoint => ({
  ...{ position: Number(position), hash, previous, keyId, signature },
  // The text that is signed tells milliseconds: a time that is finer was never signed.
  time: new Date(Number.isInteger(Number(time)) ? Number(time) : Number.NaN),
});

/** The checkpoints of a part of the log, both ends included, in order. */
export const readCheckpoints = async (
  database: Pick<pg.Client, 'query'>,
  from: number,
  to: number,
): Promise<readonly Checkpoint[]> => {
  const { rows } = await database.query<Row>(
    `select ${columns} from log_checkpoints where position between $1 and $2 order by position`,
    [from, to],
  );
  return rows.map(asCheckpoint);
};

/** Beyond this the database is taken to be away; the next look tries again. */
const ANSWER_WITHIN_MS = 5000;

export const createCheckpointLog = (databaseUrl: string, privateKey: KeyObject): CheckpointLog => {
  const pool = createPool(databaseUrl, {
    max: 1,
    query_timeout: ANSWER_WITHIN_MS,
    application_name: 'kissapi-checkpoints',
  });
  const publicKey = publicKeyOf(privateKey);
  const keyId = keyIdOf(privateKey);
  /** What this process has seen to be good; it remembers what a database may be made to forget. */
  let trusted: Checkpoint | undefined;

  const newest = async (of = '%'): Promise<Checkpoint | undefined> => {
    const { rows } = await pool.query<Row>(
      `select ${columns} from log_checkpoints where key_id like $1 order by position desc limit 1`,
      [of],
    );
    return rows[0] && asCheckpoint(rows[0]);
  };

  /** What is wrong with a checkpoint or with the event that it vouches for. */
  const flaw = async (checkpoint: Checkpoint): Promise<string | undefined> => {
    if (Number.isNaN(checkpoint.time.getTime())) return 'its time was changed';
    // One of another key was signed before the key was changed; `verify` is given that key's public half.
    if (checkpoint.keyId === keyId && !isSignedBy(checkpoint, publicKey)) return 'its signature is not good';
    const { rows } = await pool.query<{ hash: string }>(
      `select encode(hash, 'hex') as hash from events where position = $1`,
      [checkpoint.position],
    );
    if (!rows[0]) return 'the event that was signed is gone';
    return rows[0].hash === checkpoint.hash ? undefined : 'the event there has another hash than was signed';
  };

  const past = async (last: Checkpoint | undefined): Promise<Extract<Signed, { kind: 'tampered' }> | undefined> => {
    if (trusted && (last?.position ?? 0) < trusted.position) {
      return { kind: 'tampered', position: trusted.position, what: 'the checkpoint that was signed here is gone' };
    }
    // Behind one of another key the last of our own must hold as well, or anybody's key would do.
    const own = last === undefined || last.keyId === keyId ? last : await newest(keyId);
    for (const one of new Set([trusted, own, last])) {
      const what = one && (await flaw(one));
      if (one && what !== undefined) return { kind: 'tampered', position: one.position, what };
    }
    return undefined;
  };

  return {
    newest: () => newest(),
    forget: () => {
      trusted = undefined;
    },
    sign: async (due) => {
      const last = await newest();
      const tampered = await past(last);
      if (tampered) return tampered;
      const { rows } = await pool.query<{ position: string; hash: string; event_hash: string | null; now: Date }>(
        `select h.position, encode(h.hash, 'hex') as hash, encode(e.hash, 'hex') as event_hash,
                greatest(date_trunc('milliseconds', clock_timestamp()), h.time, $1) as now
         from log_head h left join events e on e.position = h.position`,
        [last?.time],
      );
      const [head] = rows;
      const position = Number(head?.position ?? 0);
      if (!head || position < (last?.position ?? 0)) {
        return { kind: 'tampered', position: position + 1, what: 'the log ends before what was signed' };
      }
      trusted = last;
      if (position === (last?.position ?? 0)) return { kind: 'nothing' };
      if (head.hash !== head.event_hash) {
        return { kind: 'tampered', position, what: 'the head of the log has another hash than its last event' };
      }
      const { hash, now } = head;
      if (last && position - last.position < due.events && now.getTime() - last.time.getTime() < due.ms) {
        return { kind: 'nothing' };
      }
      const previous = last ? digestOf(last) : NO_CHECKPOINT;
      const checkpoint = signCheckpoint({ position, time: now, hash, previous }, privateKey);
      const { rowCount } = await pool.query(
        `insert into log_checkpoints (position, time, hash, previous, key_id, signature)
         values ($1, $2, decode($3, 'hex'), decode($4, 'hex'), $5, decode($6, 'base64')) on conflict do nothing`,
        [position, now, hash, previous, keyId, checkpoint.signature],
      );
      if (rowCount !== 1) return { kind: 'nothing' }; // Another gateway was first.
      trusted = checkpoint;
      return { kind: 'signed', checkpoint };
    },
    close: () => pool.end(),
  };
};

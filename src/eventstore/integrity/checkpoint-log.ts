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
import { createPool } from '../postgres/database/connections.ts';

/** A checkpoint is due after `events` events since the last one, or after any event if the last one is older than `ms`. */
export type Due = { readonly events: number; readonly ms: number };

export type Signed<Of = Checkpoint> =
  | { readonly kind: 'signed'; readonly checkpoint: Of }
  | { readonly kind: 'nothing' }
  /** The log differs from what was signed before, so it is not signed again. */
  | { readonly kind: 'tampered'; readonly position: number; readonly what: string };

type Tampered = Extract<Signed, { kind: 'tampered' }>;

export type CheckpointLog = {
  /** Signs the head, unless no checkpoint is due, another gateway was first, or an earlier checkpoint does not match the log. */
  sign(due: Due): Promise<Signed>;
  newest(): Promise<Checkpoint | undefined>;
  /** Forgets the checkpoints that this process remembers: the log went back in time, which is reported elsewhere. */
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
  // The signed text has milliseconds, so a time with a fraction was changed.
  time: new Date(Number.isInteger(Number(time)) ? Number(time) : Number.NaN),
});

/** The checkpoints from one position to another, both included, in order. */
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

const ANSWER_WITHIN_MS = 5000;

export const createCheckpointLog = (databaseUrl: string, privateKey: KeyObject): CheckpointLog => {
  const pool = createPool(databaseUrl, {
    max: 1,
    query_timeout: ANSWER_WITHIN_MS,
    application_name: 'kissapi-checkpoints',
  });
  const keyId = keyIdOf(privateKey);
  const publicKey = publicKeyOf(privateKey);
  /** The newest checkpoint that this process has verified. A database can be made to forget; the process remembers. */
  let trusted: Checkpoint | undefined;

  const findFlaw = async (last: Checkpoint | undefined): Promise<Tampered | undefined> => {
    if (trusted && (last?.position ?? 0) < trusted.position) {
      return { kind: 'tampered', position: trusted.position, what: 'the checkpoint that was signed here is gone' };
    }
    // If the last checkpoint has another key, the last one of our own key must match as well, or any key would do.
    const own = last === undefined || last.keyId === keyId ? last : await newestOf(pool, keyId);
    for (const one of new Set([trusted, own, last])) {
      const what = one && (await flawOf(pool, one, keyId, publicKey));
      if (one && what !== undefined) return { kind: 'tampered', position: one.position, what };
    }
    return undefined;
  };

  return {
    newest: () => newestOf(pool),
    forget: () => {
      trusted = undefined;
    },
    sign: async (due) => {
      const last = await newestOf(pool);
      const flaw = await findFlaw(last);
      if (flaw) return flaw;
      const head = await readHead(pool, last);
      if (head.kind === 'tampered') return head;
      trusted = last;
      if (!isDue(head, last, due)) return { kind: 'nothing' };
      const { position, time, hash } = head;
      const previous = last ? digestOf(last) : NO_CHECKPOINT;
      const checkpoint = signCheckpoint({ position, time, hash, previous }, privateKey);
      if (!(await insert(pool, checkpoint))) return { kind: 'nothing' }; // Another gateway was first.
      trusted = checkpoint;
      return { kind: 'signed', checkpoint };
    },
    close: () => pool.end(),
  };
};

/** The newest checkpoint; of one key only, if `keyId` is given. */
const newestOf = async (pool: pg.Pool, keyId = '%'): Promise<Checkpoint | undefined> => {
  const { rows } = await pool.query<Row>(
    `select ${columns} from log_checkpoints where key_id like $1 order by position desc limit 1`,
    [keyId],
  );
  return rows[0] && asCheckpoint(rows[0]);
};

/** Compares a checkpoint with its signature and its event; undefined if it is correct. */
const flawOf = async (
  pool: pg.Pool,
  checkpoint: Checkpoint,
  keyId: string,
  publicKey: KeyObject,
): Promise<string | undefined> => {
  if (Number.isNaN(checkpoint.time.getTime())) return 'its time was changed';
  // Signatures of earlier keys are checked by `verify`, which has their public keys.
  if (checkpoint.keyId === keyId && !isSignedBy(checkpoint, publicKey)) return 'its signature is not good';
  const { rows } = await pool.query<{ hash: string }>(
    `select encode(hash, 'hex') as hash from events where position = $1`,
    [checkpoint.position],
  );
  if (!rows[0]) return 'the event that was signed is gone';
  return rows[0].hash === checkpoint.hash ? undefined : 'the event there has another hash than was signed';
};

type Head = { readonly kind: 'head'; readonly position: number; readonly hash: string; readonly time: Date };

/** The head of the log, compared with its last event and the last checkpoint. `time` is not before either of them. */
const readHead = async (pool: pg.Pool, last: Checkpoint | undefined): Promise<Head | Tampered> => {
  const { rows } = await pool.query<{ position: string; hash: string; event_hash: string | null; now: Date }>(
    `select h.position, encode(h.hash, 'hex') as hash, encode(e.hash, 'hex') as event_hash,
            greatest(date_trunc('milliseconds',
              clock_timestamp() + coalesce(h.clock_moved_ms, 0) * interval '1 millisecond'), h.time, $1) as now
     from log_head h left join events e on e.position = h.position`,
    [last?.time],
  );
  const [head] = rows;
  const position = Number(head?.position ?? 0);
  if (!head || position < (last?.position ?? 0)) {
    return { kind: 'tampered', position: position + 1, what: 'the log ends before what was signed' };
  }
  if (position !== (last?.position ?? 0) && head.hash !== head.event_hash) {
    return { kind: 'tampered', position, what: 'the head of the log has another hash than its last event' };
  }
  return { kind: 'head', position, hash: head.hash, time: head.now };
};

const isDue = ({ position, time }: Head, last: Checkpoint | undefined, due: Due): boolean => {
  if (position === (last?.position ?? 0)) return false;
  return !last || position - last.position >= due.events || time.getTime() - last.time.getTime() >= due.ms;
};

/** False if there is a checkpoint at the position already. */
const insert = async (pool: pg.Pool, checkpoint: Checkpoint): Promise<boolean> => {
  const { position, time, hash, previous, keyId, signature } = checkpoint;
  const { rowCount } = await pool.query(
    `insert into log_checkpoints (position, time, hash, previous, key_id, signature)
     values ($1, $2, decode($3, 'hex'), decode($4, 'hex'), $5, decode($6, 'base64')) on conflict do nothing`,
    [position, time, hash, previous, keyId, signature],
  );
  return rowCount === 1;
};

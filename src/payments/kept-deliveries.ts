import { hash } from 'node:crypto';
import { createPool } from '../eventstore/postgres/database/connections.ts';
import { migrate, type MigrateOptions } from '../eventstore/postgres/database/migrate.ts';
import { openBytes, sealBytes, type SecretKey } from '../eventstore/secrets/sealed-bytes.ts';

export const migratePayments = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'payments', new URL('./sql/', import.meta.url), options);

export type Delivery = {
  /** The partner's id of the event; null if it could not be read. */
  readonly eventId: string | null;
  readonly eventType: string | null;
  /** Why it is kept. Without personal data. */
  readonly reason: string;
  readonly rawBody: Uint8Array;
};

export type KeptDelivery = Omit<Delivery, 'rawBody'> & {
  readonly deliveryId: string;
  readonly times: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
};

/** Deliveries that an operator must look at. The bodies have personal data, and are encrypted. */
export type KeptDeliveries = {
  /** A repeated delivery is counted. */
  keep(delivery: Delivery): Promise<void>;
  /** The newest first. */
  list(limit: number): Promise<readonly KeptDelivery[]>;
  /** Undefined if it was deleted, or was sealed with another key. */
  open(deliveryId: string): Promise<string | undefined>;
  deleteOld(): Promise<void>;
  close(): Promise<void>;
};

/** The id of the data key of kept deliveries. On disk. */
export const DELIVERIES_KEY = 'payment-deliveries';

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const ANSWER_WITHIN_MS = 5000;

type Row = {
  readonly delivery_id: string;
  readonly event_id: string | null;
  readonly event_type: string | null;
  readonly reason: string;
  readonly times: number;
  readonly first_at: Date;
  readonly last_at: Date;
};

/** `key` is shared by all nodes, and created at its first use. Must be closed. */
export const createKeptDeliveries = (
  databaseUrl: string,
  key: () => Promise<SecretKey>,
  now: () => Date,
): KeptDeliveries => {
  const pool = createPool(databaseUrl, {
    ...{ max: 1, query_timeout: ANSWER_WITHIN_MS, application_name: 'kissapi-payments' },
  });
  return {
    keep: async ({ eventId, eventType, reason, rawBody }) => {
      const id = `del_${hash('sha256', rawBody, 'hex').slice(0, 24)}`;
      await pool.query(
        `insert into kept_deliveries (delivery_id, event_id, event_type, reason, body, first_at, last_at)
         values ($1, $2, $3, $4, $5, $6, $6)
         on conflict (delivery_id) do update
           set times = kept_deliveries.times + 1, reason = excluded.reason, last_at = excluded.last_at`,
        [id, eventId, eventType, reason, sealBytes(await key(), Buffer.from(rawBody), id), now()],
      );
    },
    list: async (limit) => {
      const { rows } = await pool.query<Row>(
        `select delivery_id, event_id, event_type, reason, times, first_at, last_at
         from kept_deliveries order by last_at desc limit $1`,
        [limit],
      );
      return rows.map((row) => ({
        ...{ deliveryId: row.delivery_id, eventId: row.event_id, eventType: row.event_type, reason: row.reason },
        ...{ times: row.times, firstAt: row.first_at, lastAt: row.last_at },
      }));
    },
    open: async (deliveryId) => {
      const { rows } = await pool.query<{ body: Buffer }>('select body from kept_deliveries where delivery_id = $1', [
        deliveryId,
      ]);
      const [row] = rows;
      return row && openBytes(await key(), row.body, deliveryId)?.toString('utf8');
    },
    deleteOld: async () => {
      await pool.query('delete from kept_deliveries where last_at < $1', [new Date(now().getTime() - KEPT_MS)]);
    },
    close: () => pool.end(),
  };
};

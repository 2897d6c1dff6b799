import { hash } from 'node:crypto';
import { createPool, READ_WITHIN } from '../postgres/database/connections.ts';
import { StoreUnavailable } from '../event-store.ts';

/** The texts of the terms, by their SHA-256. The log contains only the hashes. */
export type TermsTexts = {
  /** Durable when it resolves. */
  store(text: Buffer): Promise<void>;
  /** Rejects with AlteredText if the stored text does not have this hash. */
  find(sha256: string): Promise<Buffer | undefined>;
  close(): Promise<void>;
};

/** Broken promise: a stored text of the terms differs from the published one. */
export class AlteredText extends Error {
  override readonly name = 'AlteredText';
}

export const sha256Of = (text: Buffer): string => hash('sha256', text, 'hex');

/** In the table `terms_texts` of the log's database, which must have been migrated. Must be closed. */
export const createTermsTexts = (databaseUrl: string): TermsTexts => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 1, application_name: 'kissapi-terms' });
  const query = async (sql: string, values: unknown[]): Promise<{ text: Buffer } | undefined> => {
    try {
      return (await pool.query<{ text: Buffer }>(sql, values)).rows[0];
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StoreUnavailable(`the texts of the terms cannot be reached: ${why}`, { cause });
    }
  };
  /** Texts whose hash was checked. They never change, and they are few. */
  const checked = new Map<string, Buffer>();
  return {
    store: async (text) => {
      const sql = 'insert into terms_texts (sha256, text) values ($1, $2) on conflict (sha256) do nothing';
      await query(sql, [sha256Of(text), text]);
    },
    find: async (sha256) => {
      const known = checked.get(sha256);
      if (known) return known;
      const text = (await query('select text from terms_texts where sha256 = $1', [sha256]))?.text;
      if (!text) return undefined;
      if (sha256Of(text) !== sha256) throw new AlteredText(`the stored text ${sha256} of the terms was altered`);
      checked.set(sha256, text);
      return text;
    },
    close: () => pool.end(),
  };
};

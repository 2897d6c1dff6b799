import type { KeyObject } from 'node:crypto';
import { keyIdOf, publicKeyPem } from '../integrity/checkpoint.ts';
import { withDatabase } from './secret-checks.ts';

/** How a signing key relates to the keys that signed the log before. */
export type NoticedSigningKey = {
  readonly id: string;
  /** `first`: no other key has signed. `new`: this key has not signed yet. `superseded`: a newer key has signed. */
  readonly kind: 'first' | 'new' | 'known' | 'superseded';
  /** The ids of the others, the newest first. */
  readonly others: readonly string[];
};

/** Records the key that this node signs with. The database keeps the public key, which `verify` needs permanently. */
export const noticeSigningKey = (databaseUrl: string, signingKey: KeyObject): Promise<NoticedSigningKey> =>
  withDatabase(databaseUrl, async (database) => {
    const id = keyIdOf(signingKey);
    const { rows } = await database.query<{ id: string; public_key: string | null }>(
      `select id, public_key from signing_keys order by first_used_at desc, id`,
    );
    const mine = rows.find((row) => row.id === id);
    if (mine?.public_key === undefined || mine.public_key === null) {
      await database.query(
        `insert into signing_keys (id, public_key) values ($1, $2)
         on conflict (id) do update set public_key = excluded.public_key`,
        [id, publicKeyPem(signingKey)],
      );
    }
    const others = rows.flatMap((row) => (row.id === id ? [] : [row.id]));
    if (others.length === 0) return { id, kind: 'first', others };
    if (!mine) return { id, kind: 'new', others };
    return { id, kind: rows[0]?.id === id ? 'known' : 'superseded', others };
  });

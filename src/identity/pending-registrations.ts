import type { IdentityDatabase } from './database.ts';

/** Registrations that wait for the verification of their address, and invitations that wait for their acceptance. */
export type PendingRegistrations = {
  /** Does nothing if it is there. */
  add(personId: string, since: Date): Promise<void>;
  remove(personId: string): Promise<void>;
  /** Those that began before a time, the oldest first. */
  begunBefore(time: Date, limit: number): Promise<readonly string[]>;
};

export const createPendingRegistrations = ({
  database: { query },
}: {
  readonly database: IdentityDatabase;
}): PendingRegistrations => ({
  add: async (personId, since) => {
    await query('insert into pending_registrations (person_id, since) values ($1, $2) on conflict do nothing', [
      ...[personId, since],
    ]);
  },
  remove: async (personId) => {
    await query('delete from pending_registrations where person_id = $1', [personId]);
  },
  begunBefore: async (time, limit) => {
    const rows = await query<{ person_id: string }>(
      'select person_id from pending_registrations where since < $1 order by since limit $2',
      [time, limit],
    );
    return rows.map(({ person_id }) => person_id);
  },
});

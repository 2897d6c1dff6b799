import type { IdentityDatabase } from './database.ts';

/** Each table with rows of persons, and the column that names the person. */
export const TABLES_OF_PERSONS = [
  ['sessions', 'person_id'],
  ['one_time_codes', 'subject'],
  ['passkeys', 'person_id'],
  ['passkey_challenges', 'person_id'],
  ['totp_seeds', 'person_id'],
  ['recovery_codes', 'person_id'],
  // A credential does not outlive the person who created it.
  ['tokens', 'created_by'],
  ['search_terms', 'subject'],
  ['pending_registrations', 'person_id'],
] as const;

/**
 * Deletes all that this room keeps about a person, in one transaction: for an erasure. It may be repeated. The person's data
 * key and what is in the log are erased by others. Attempt limits cannot be assigned to a person, and end within hours.
 */
export const deletePerson = ({ transaction }: IdentityDatabase, personId: string): Promise<void> =>
  transaction(async (query) => {
    for (const [table, column] of TABLES_OF_PERSONS)
      await query(`delete from ${table} where ${column} = $1`, [personId]);
    // Of links that undo a change of address, or end mails about an account, the subject begins with the person.
    await query('delete from one_time_codes where starts_with(subject, $1)', [`${personId}.`]);
  });

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES_OF_PERSONS } from '../../src/identity/delete-person.ts';
import { createSoftwareAuthenticator } from '../support/browser/software-authenticator.ts';
import { query } from '../support/sql.ts';
import { DAY_MS, openNodes, ORIGIN, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

/** A person with rows in every table. */
const aPerson = async (): Promise<string> => {
  const [personId, { one }] = [nodes.person(), nodes];
  await one.sessions.create({ personId, kind: 'staff' });
  await one.oneTimeCodes.issue({ purpose: 'sign_in', subject: personId, id: randomUUID() });
  await one.oneTimeCodes.issue({ purpose: 'undo_change', subject: `${personId}.chg_1`, id: randomUUID() });
  const options = await one.passkeys.registrationOptions({ personId, userName: 'x', verifyUser: false });
  await one.passkeys.register(personId, createSoftwareAuthenticator(ORIGIN).create(options), 'Laptop');
  await one.passkeys.signInOptions({ personId, verifyUser: true });
  await one.totp.enrol(personId, 'x');
  await one.recoveryCodes.renew(personId);
  const token = { name: 'x', createdBy: personId, endsAt: new Date(nodes.now().getTime() + DAY_MS) };
  await one.tokens.create({ kind: 'service', role: 'support', ...token });
  await one.tokens.create({ kind: 'management', accountId: 'acc_1', scopes: [], ...token });
  await one.searchTerms.replace({ kind: 'person', id: personId }, [{ field: 'name', text: 'ada' }]);
  await one.pendingRegistrations.add(personId, nodes.now());
  return personId;
};

const tablesWith = async (personId: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const [table, column] of TABLES_OF_PERSONS) {
    const rows = await query(nodes.url, `select from ${table} where ${column} = $1`, [personId]);
    if (rows.length > 0) found.push(table);
  }
  return found;
};

describe('deleting a person', () => {
  it('removes all rows of that person in every table, and none of others, and may be repeated', async () => {
    const [personId, neighbour] = [await aPerson(), await aPerson()];
    expect(await tablesWith(personId)).toEqual(TABLES_OF_PERSONS.map(([table]) => table));
    await nodes.one.deletePerson(personId);
    await nodes.other.deletePerson(personId);
    expect(await nodes.dump()).not.toContain(personId);
    expect(await tablesWith(neighbour)).toEqual(TABLES_OF_PERSONS.map(([table]) => table));
  });

  it('covers every column of the tables that names a person', async () => {
    const sql = `select distinct table_name as "table", column_name as "column" from information_schema.columns
      where table_schema = 'public' and column_name in ('person_id', 'subject', 'created_by') order by 1`;
    const columns = await query<{ table: string; column: string }>(nodes.url, sql);
    const covered = TABLES_OF_PERSONS.map(([table, column]) => ({ table, column }));
    expect(columns).toEqual(covered.toSorted((a, b) => a.table.localeCompare(b.table)));
  });
});

it('what has ended is deleted from every table in one call', async () => {
  const personId = await aPerson();
  nodes.forward(2 * DAY_MS);
  expect(await nodes.one.deleteExpired()).toBeGreaterThanOrEqual(5);
  // These have no end.
  expect(await tablesWith(personId)).toEqual([
    'passkeys',
    'totp_seeds',
    'recovery_codes',
    'search_terms',
    'pending_registrations',
  ]);
});

import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../database.ts';
import { query } from '../sql.ts';

describe('createTestDatabase', () => {
  it('creates an empty database and drops it while it is in use', async () => {
    const { url, drop } = await createTestDatabase();
    const client = new pg.Client({ connectionString: url });
    const ended = new Promise<unknown>((resolve) => client.on('error', resolve));
    await client.connect();
    await drop();
    expect(await ended).toMatchObject({ code: '57P01' });
    await expect(query(url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});

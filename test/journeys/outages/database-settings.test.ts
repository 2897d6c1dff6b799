import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, createPremises, type Premises } from '../../support/gateway.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { chat, costUsdOf, generationOf } from '../../support/traffic.ts';

/** What a database may set for every session on it. */
const SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: "'SQL, DMY'",
  IntervalStyle: 'sql_standard',
  TimeZone: "'Asia/Kathmandu'",
  extra_float_digits: '-15',
  bytea_output: 'escape',
  standard_conforming_strings: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  synchronous_commit: 'off',
  statement_timeout: '300',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '300',
  session_replication_role: 'replica',
  row_security: 'on',
};

describe('a gateway on a database with settings of its own', () => {
  let premises: Premises;
  beforeAll(async () => {
    premises = await createPremises();
    const name = new URL(premises.databaseUrl).pathname.slice(1);
    const elsewhere = new URL(premises.databaseUrl);
    elsewhere.pathname = '/postgres';
    for (const [setting, value] of Object.entries(SETTINGS)) {
      await query(elsewhere.href, `alter database ${name} set ${setting} = ${value}`);
    }
  });
  afterAll(() => premises.close());

  it('opens, charges, shows receipts and signs the log, and starts again', async () => {
    const gateway = await premises.startGateway();
    const { accountId, apiKey } = await gateway.openAccount();
    const answer = await chat(gateway, apiKey).answer;
    expect(answer.status).toBe(200);
    const headers = { authorization: `Bearer ${apiKey}` };
    const receipt = await fetch(`${gateway.url}/v1/generation?id=${generationOf(answer)}`, { headers });
    expect(await receipt.json()).toMatchObject({ data: { status: 'settled', total_cost_usd: costUsdOf(answer) } });
    const checkpoint = (): Promise<Response> =>
      fetch(`${gateway.url}/api/log/checkpoint`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    await expect.poll(async () => (await checkpoint()).status, SOON).toBe(200);
    expect(gateway.process.output()).not.toMatch(/"level":(50|60)/);
    await gateway.process.stop();

    const again = await premises.startGateway();
    expect((await chat(again, apiKey).answer).status).toBe(200);
    await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(again, accountId));
  });
});

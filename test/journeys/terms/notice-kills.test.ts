import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { randomFrom } from '../../payments/schedules/random.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { queries, query } from '../../support/sql.ts';
import { usesEventStoreDb } from '../../support/stores/store-env.ts';
import { registerAccounts } from './notice-accounts.ts';

const SEED = Number(process.env['SEED'] ?? 15);
// EventStoreDB shares the machine with the gateways.
const ACCOUNTS = Number(process.env['NOTICE_ACCOUNTS'] ?? (usesEventStoreDb() ? 300 : 1000));
const KILLS = Number(process.env['NOTICE_KILLS'] ?? 6);
/** Mails that a gateway sends at the same time. */
const UNDER_WAY = 4;

const random = randomFrom(SEED);
let smtp: TestSmtp;
let premises: Premises;
let nodes: RunningGateway[] = [];
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  env = { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' };
  nodes = await Promise.all([premises.startGateway(env), premises.startGateway(env)]);
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const countOf = async (types: readonly string[]): Promise<number> => {
  const text = 'select count(*) as n from events where type = any($1)';
  // Without a wait for the copy, which polls would cost too much.
  const [[row]] = (await queries(premises.databaseUrl, [{ text, values: [types] }])) as [{ n: string }[]];
  return Number(row?.n ?? 0);
};
const STEPS = ['NoticeQueued', 'MailQueued', 'MailSent', 'NoticeAnswered'];

/**
 * Kills one gateway when so many events are in the log, then the other one, which has taken over, and starts both again.
 * Returns how many events were there at each kill.
 */
const killAt = async (moments: readonly number[], before: number): Promise<readonly number[]> => {
  const counts: number[] = [];
  for (const [n, moment] of moments.entries()) {
    while ((await countOf(STEPS)) - before < moment) await sleep(5);
    await nodes[n % 2]?.process.stop('SIGKILL');
    counts.push((await countOf(STEPS)) - before);
    if (n % 2 === 1) nodes = await Promise.all([premises.startGateway(env), premises.startGateway(env)]);
  }
  return counts;
};

it('sends each account one mail, or two with one Message-Id, if gateways are killed at any moments of a run', async () => {
  const [{ version = '' } = {}] =
    (await nodes[0]?.manage<{ data: { version: string }[] }>('GET', '/terms'))?.data ?? [];
  const addresses = await registerAccounts(premises.databaseUrl, ACCOUNTS, version);
  const before = await countOf(STEPS);
  const mailboxes = [...addresses.values()].flat();
  const events = 2 * ACCOUNTS + 2 * mailboxes.length;
  const moments = Array.from({ length: KILLS }, () => Math.floor(random() * events * 0.95)).toSorted((a, b) => a - b);
  const published = { document: 'terms', version: '2998-12-20', text: '# Terms\n', summary: 'Refunds are described.' };
  await nodes[0]?.manage('POST', '/terms', { ...published, significant: true });
  const counts = await killAt(moments, before);
  expect(counts.filter((count) => count < events)).toHaveLength(KILLS);

  const answered = () => countOf(['NoticeAnswered']);
  const open = (
    await query<{ n: string }>(
      premises.databaseUrl,
      "select count(*) as n from events where type = 'AccountRegistered'",
    )
  )[0];
  // Those of the test, and the one of the demo.
  const all = Number(open?.n);
  await expect.poll(answered, SOON).toBe(all);
  const perStream = await query<{ type: string; streams: string; n: string }>(
    premises.databaseUrl,
    'select type, count(distinct stream) as streams, count(*) as n from events where type = any($1) group by type order by type',
    [['NoticeAnswered', 'NoticeQueued']],
  );
  expect(perStream.map(({ streams, n }) => [Number(streams), Number(n)])).toEqual([
    [all, all],
    [all, all],
  ]);
  const refused =
    "select data from events where type = 'ReactionParked' or (type = 'NoticeAnswered' and data::jsonb ->> 'outcome' <> 'accepted')";
  expect(await query(premises.databaseUrl, refused)).toEqual([]);
  const { data } = (await nodes[0]?.manage<{ data: unknown[] }>('GET', '/notices')) ?? { data: [] };
  expect(data).toEqual([expect.objectContaining({ accounts: all, accepted: all, pending: 0, failed: 0 })]);

  const arrived = Map.groupBy(smtp.received, ({ to }) => to);
  for (const address of mailboxes) {
    const ids = arrived.get(address)?.map(({ messageId }) => messageId) ?? [];
    expect(new Set(ids).size, `${address} ${ids.join(' ')}`).toBe(1);
    expect(ids.length).toBeLessThanOrEqual(2);
  }
  expect(smtp.received.length - arrived.size).toBeLessThanOrEqual(KILLS * UNDER_WAY);
});

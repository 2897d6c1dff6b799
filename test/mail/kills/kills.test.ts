import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { startProcess, type Started } from '../../support/process.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { CODE, dump, EMAIL, openMails } from '../post.ts';
import { createTestSmtp, type TestSmtp } from '../smtp.ts';

let database: TestDatabase;
let smtp: TestSmtp;
let mails: ReturnType<typeof openMails>;
let nodes: Started[] = [];

const spawn = async (step = ''): Promise<Started> => {
  const file = new URL('./node.ts', import.meta.url).pathname;
  const env = { NODE_DATABASE_URL: database.url, NODE_SMTP_PORT: String(smtp.port) };
  const node = await startProcess(file, [step], env, /running/);
  nodes.push(node);
  return node;
};

beforeEach(async () => {
  database = await createMigratedDatabase();
  smtp = await createTestSmtp();
  mails = openMails(database.url);
});
afterEach(async () => {
  for (const node of nodes) await node.stop('SIGKILL');
  nodes = [];
  await mails.close();
  await smtp.close();
  await database.drop();
});

/** The Message-Ids of the mails that the server has accepted. */
const accepted = (): readonly string[] => smtp.received.filter((one) => one.accepted).map(({ messageId }) => messageId);

const nothingWaits = async (): Promise<boolean> => (await query(database.url, 'select from due_mails')).length === 0;

const isSent = async (mailId: string): Promise<boolean> =>
  (await mails.history(mailId)).some(({ type }) => type === 'MailSent');

const expectNoSecrets = async (): Promise<void> => {
  const rows = await dump(database.url);
  expect(rows).toContain('MailSent');
  for (const secret of [CODE, EMAIL, 't0k3n']) expect(rows).not.toContain(secret);
};

/** Kills a node at the step, starts another one, and returns what the server has accepted. */
const killed = async (step: string): Promise<readonly string[]> => {
  await mails.queue('mail_1');
  const first = await spawn(step);
  await expect.poll(() => first.hasEnded(), SOON).toBe(true);
  await spawn();
  await expect.poll(() => isSent('mail_1'), SOON).toBe(true);
  await expect.poll(nothingWaits, SOON).toBe(true);
  expect((await mails.history('mail_1')).filter(({ type }) => type === 'MailSent')).toHaveLength(1);
  await expectNoSecrets();
  return accepted();
};

describe('a node that is killed', () => {
  it.each([
    'before the mail is due',
    'after the mail is due',
    'before the mail is sent',
    'after the outcome was recorded',
    'before its row is removed',
    'after its row was removed',
  ])('%s: the mail arrives once', async (step) => {
    expect(await killed(step)).toEqual(['<mail_1@gateway.test>']);
  });

  it.each(['before it is postponed', 'after it was postponed'])('%s: the mail arrives once', async (step) => {
    smtp.behave({ code: 451, at: 'rcpt' }, 'accept');
    expect(await killed(step)).toEqual(['<mail_1@gateway.test>']);
    expect((await mails.history('mail_1')).map(({ type }) => type)).toEqual([
      ...['MailQueued', 'MailDeferred', 'MailSent'],
    ]);
  });

  // Between the server's answer and our event: SMTP cannot do better.
  it.each(['after the mail was sent', 'before the outcome is recorded'])(
    '%s: the mail arrives twice, with one Message-Id',
    async (step) => {
      expect(await killed(step)).toEqual(['<mail_1@gateway.test>', '<mail_1@gateway.test>']);
    },
  );

  it('at any moments, five times: each mail arrives, once more at most for each kill', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `mail_${n}`);
    smtp.behave('accept', { code: 451, at: 'rcpt' }, 'accept', 'drop', 'accept', { code: 450, at: 'data' }, 'accept');
    const kills = 5;
    for (let n = 0; n < kills; n++) {
      await Promise.all(ids.slice(n * 8, (n + 1) * 8).map((id) => mails.queue(id)));
      const node = await spawn();
      await sleep(Math.random() * 700);
      await node.stop('SIGKILL');
    }
    await spawn();
    await expect.poll(async () => (await Promise.all(ids.map(isSent))).every(Boolean), SOON).toBe(true);
    const times = [...Map.groupBy(accepted(), (id) => id)].map(([id, all]) => [id, all.length] as const);
    expect(times.map(([id]) => id).sort()).toEqual(ids.map((id) => `<${id}@gateway.test>`).sort());
    expect(Math.max(...times.map(([, count]) => count))).toBeLessThanOrEqual(1 + kills);
    await expectNoSecrets();
  });
});

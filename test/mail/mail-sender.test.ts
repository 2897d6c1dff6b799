import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BACK_OFF_MS } from '../../src/domain/mail/mail.ts';
import { createDueMails, NOTICES_AT_ONCE } from '../../src/mail/due-mails.ts';
import { startMailSender, type MailSenderOptions } from '../../src/mail/mail-sender.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { query } from '../support/sql.ts';
import { CODE, dump, EMAIL, LINK, openMails, openPost, smtpMailer } from './post.ts';
import { createTestSmtp, type TestSmtp } from './smtp.ts';

let database: TestDatabase;
let smtp: TestSmtp;
let posts: ReturnType<typeof openPost>[] = [];
let at: Date;
const forward = (ms: number): void => void (at = new Date(at.getTime() + ms));

const open = (over: Partial<MailSenderOptions> = {}, port = smtp.port, sendWithinMs?: number) => {
  const mailer = smtpMailer(port, sendWithinMs);
  const post = openPost({ databaseUrl: database.url, mailer, now: () => at, over });
  posts.push(post);
  return post;
};

beforeEach(async () => {
  database = await createMigratedDatabase();
  smtp = await createTestSmtp();
  at = new Date(Date.now() + 60_000);
});
afterEach(async () => {
  for (const post of posts) await post.close();
  posts = [];
  await smtp.close();
  await database.drop();
});

type Post = ReturnType<typeof open>;
const types = async (post: Post, mailId = 'mail_1'): Promise<readonly string[]> =>
  (await post.history(mailId)).map(({ type }) => type);
const waiting = async (post: Post): Promise<number> => (await post.due.backlog()).waiting;

describe('notices', () => {
  it('are sent after all other mails that are due, a few at a time', async () => {
    const due = createDueMails(database.url);
    const ids = Array.from({ length: NOTICES_AT_ONCE + 5 }, (_, n) => `notice-mail_${String(n).padStart(3, '0')}`);
    for (const [n, id] of [...ids, 'sign-in'].entries()) await due.add(id, new Date(at.getTime() - 1000 + n));
    expect(await due.due(at, 100)).toEqual(['sign-in', ...ids.slice(0, NOTICES_AT_ONCE)]);
    await due.close();
  });

  it('that are many are sent without a pause', async () => {
    const [due, { mails, queue, close }] = [createDueMails(database.url), openMails(database.url)];
    const ids = Array.from({ length: 2 * NOTICES_AT_ONCE + 1 }, (_, n) => `notice-mail_${n}`);
    for (const id of ids) await Promise.all([queue(id), due.add(id, at)]);
    const sender = startMailSender({
      ...{ databaseUrl: database.url, due, mails, mailer: smtpMailer(smtp.port), now: () => at, everyMs: 3_600_000 },
      operator: () => ({ name: 'KissAPI', supportEmail: 's@example.com', publicUrl: 'http://gateway.test' }),
      addressOf: () => Promise.resolve({ email: EMAIL, name: undefined }),
      secretsOf: () => Promise.resolve({ code: CODE, link: LINK }),
      textsOf: () => Promise.resolve({}),
      ...{ attempted: () => undefined, failed: () => undefined },
    });
    await expect.poll(() => smtp.received.length, SOON).toBe(ids.length);
    await sender.close();
    await Promise.all([due.close(), close()]);
  });
});

describe('a mail', () => {
  it('is sent once, as text and HTML, and leaves neither code nor address in the database', async () => {
    const post = open();
    await post.queue('mail_1');
    await expect.poll(() => types(post), SOON).toEqual(['MailQueued', 'MailSent']);
    await expect.poll(() => waiting(post), SOON).toBe(0);

    expect(smtp.received).toHaveLength(1);
    const { to, raw, messageId } = smtp.received[0] as (typeof smtp.received)[0];
    expect({ to, messageId }).toEqual({ to: EMAIL, messageId: '<mail_1@gateway.test>' });
    expect(raw).toMatch(/^Auto-Submitted: auto-generated$/im);
    expect(raw).toMatch(/^Content-Type: text\/plain/im);
    expect(raw).toMatch(/^Content-Type: text\/html/im);
    expect(raw).not.toMatch(/^List-Unsubscribe/im);
    expect(raw.split(CODE)).toHaveLength(3);
    expect(Math.max(...raw.split('\r\n').map(({ length }) => length))).toBeLessThan(998);
    expect(await post.history('mail_1')).toContainEqual({
      ...{ type: 'MailSent', messageId: '<mail_1@gateway.test>', reply: '250' },
    });

    const rows = await dump(database.url);
    expect(rows).toContain('mail_1@gateway.test');
    for (const secret of [CODE, 't0k3n', EMAIL, 'Ada']) expect(rows).not.toContain(secret);
  });

  it.each([
    ['451 to the recipient', { code: 451, at: 'rcpt' } as const, '451 4.3.0'],
    ['451 to the content', { code: 451, at: 'data' } as const, '451 4.3.0'],
    ['450 to the sender', { code: 450, at: 'from' } as const, '450 4.3.0'],
    ['550 to the sender, which concerns us', { code: 550, at: 'from' } as const, null],
    ['a connection that is dropped in DATA', 'drop' as const, null],
  ])('is sent a minute later, with the same Message-Id, after %s', async (_, behaviour, reply) => {
    smtp.behave(behaviour, 'accept');
    const post = open();
    await post.queue('mail_1');
    await expect.poll(() => types(post), SOON).toEqual(['MailQueued', 'MailDeferred']);
    const until = new Date(at.getTime() + 60_000);
    expect((await post.history('mail_1'))[1]).toEqual({ type: 'MailDeferred', attempt: 1, reply, until });
    const due = async () => (await query<{ due_at: Date }>(database.url, 'select due_at from due_mails'))[0]?.due_at;
    await expect.poll(due, SOON).toEqual(until);

    forward(61_000);
    await expect.poll(() => types(post), SOON).toEqual(['MailQueued', 'MailDeferred', 'MailSent']);
    const accepted = smtp.received.filter((one) => one.accepted);
    expect(accepted.map(({ messageId }) => messageId)).toEqual(['<mail_1@gateway.test>']);
    expect(new Set(smtp.received.map(({ messageId }) => messageId)).size).toBe(1);
    for (const error of post.reports.errors) expect(String(error)).not.toContain('@');
    expect(await dump(database.url)).not.toContain(EMAIL);
  });

  it.each(['rcpt', 'data'] as const)('has failed after 550 at %s, which is reported once', async (where) => {
    smtp.behave({ code: 550, at: where });
    const post = open();
    await post.queue('mail_1');
    await expect
      .poll(() => post.reports.failedMails, SOON)
      .toEqual([
        {
          ...{ mailId: 'mail_1', to: { kind: 'claim', id: 'clm_1' }, template: 'verify_address' },
          ...{ reason: 'rejected', reply: '550 5.3.0' },
        },
      ]);
    expect(await types(post)).toEqual(['MailQueued', 'MailFailed']);
    forward(100 * 3_600_000);
    await post.queue('mail_2');
    await expect.poll(() => types(post, 'mail_2'), SOON).toContain('MailFailed');
    expect(await types(post)).toEqual(['MailQueued', 'MailFailed']);
    expect(await dump(database.url)).not.toContain(EMAIL);
  });

  it('is sent later if the server is too slow to answer', async () => {
    smtp.behave('silent', 'accept');
    const post = open({}, smtp.port, 1500);
    await post.queue('mail_1');
    await expect.poll(() => types(post), SOON).toEqual(['MailQueued', 'MailDeferred']);
    // On a busy machine a later attempt may be too slow as well.
    const typesLater = (): Promise<readonly string[]> => {
      forward(3_600_000);
      return types(post);
    };
    await expect.poll(typesLater, { ...SOON, interval: 2000 }).toContain('MailSent');
    expect(smtp.received.length).toBeGreaterThanOrEqual(2);
    expect(new Set(smtp.received.map(({ messageId }) => messageId))).toEqual(new Set(['<mail_1@gateway.test>']));
  });

  it('waits for a server that is absent', async () => {
    const { port } = smtp;
    await smtp.close();
    const post = open({}, port);
    for (const n of [1, 2, 3]) await post.queue(`mail_${n}`);
    for (const n of [1, 2, 3]) {
      await expect.poll(() => types(post, `mail_${n}`), SOON).toEqual(['MailQueued', 'MailDeferred']);
    }
    smtp = await createTestSmtp(port);
    forward(61_000);
    for (const n of [1, 2, 3]) await expect.poll(() => types(post, `mail_${n}`), SOON).toContain('MailSent');
    expect(smtp.received).toHaveLength(3);
  });

  it('has failed when the server has not taken it for 65 hours', async () => {
    smtp.behave({ code: 451, at: 'rcpt' });
    const post = open();
    await post.queue('mail_1');
    for (const [n, waitMs] of BACK_OFF_MS.entries()) {
      await expect.poll(async () => (await types(post)).length, SOON).toBe(2 + n);
      forward(waitMs);
    }
    await expect.poll(() => types(post), SOON).toContain('MailFailed');
    expect((await post.history('mail_1')).at(-1)).toEqual({
      ...{ type: 'MailFailed', reason: 'gave_up', reply: '451 4.3.0' },
    });
    await expect.poll(() => post.reports.failedMails.map(({ reason }) => reason), SOON).toEqual(['gave_up']);
  });

  it.each([
    ['no_address', { addressOf: () => Promise.resolve(undefined) }],
    ['obsolete', { secretsOf: () => Promise.resolve(undefined) }],
    ['obsolete', { textsOf: () => Promise.resolve(undefined) }],
  ])('has failed without an attempt if it has become %s', async (reason, over) => {
    const post = open(over);
    await post.queue('mail_1');
    await expect.poll(() => types(post), SOON).toContain('MailFailed');
    expect((await post.history('mail_1')).at(-1)).toEqual({ type: 'MailFailed', reason, reply: null });
    expect(smtp.received).toEqual([]);
  });

  it.each([
    ['an unknown template', {}, 'of_a_newer_release'],
    ['a missing secret', { secretsOf: () => Promise.resolve({ code: CODE }) }, undefined],
    ['an address book that fails', { addressOf: () => Promise.reject(new Error('away')) }, undefined],
  ])('waits a minute, without an event, because of %s', async (_, over, template) => {
    const post = open(over);
    await post.queue('mail_1', template);
    const due = async () => (await query<{ due_at: Date }>(database.url, 'select due_at from due_mails'))[0]?.due_at;
    await expect.poll(due, SOON).toEqual(new Date(at.getTime() + 60_000));
    expect(await types(post)).toEqual(['MailQueued']);
    expect(post.reports.errors).toHaveLength(1);
    expect(smtp.received).toEqual([]);
  });

  it('can be ended by its recipient only if it is optional', async () => {
    const post = open();
    const params = { account_id: 'acc_1', balance_usd: '1.50', threshold_usd: '5' };
    const command = {
      type: 'QueueMail',
      to: { kind: 'account', id: 'acc_1' },
      template: 'low_balance',
      params,
    } as const;
    await post.mails.execute('mail-mail_1', command, { actor: 'test', commandId: 'low' });
    await expect.poll(() => types(post), SOON).toContain('MailSent');
    const raw = smtp.received[0]?.raw.replace(/\r\n /g, '') ?? '';
    expect(raw).toContain(`List-Unsubscribe: <${LINK}>`);
  });
});

describe('two nodes', () => {
  it('send each of many mails once', async () => {
    const [one, other] = [open(), open()] as const;
    const ids = Array.from({ length: 30 }, (_, n) => `mail_${n}`);
    await Promise.all(ids.map((id) => one.queue(id)));
    await expect.poll(() => smtp.received.length, SOON).toBeGreaterThanOrEqual(ids.length);
    await expect.poll(() => waiting(other), SOON).toBe(0);
    expect(smtp.received.map(({ messageId }) => messageId).sort()).toEqual(
      ids.map((id) => `<${id}@gateway.test>`).sort(),
    );
  });
});

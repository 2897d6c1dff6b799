import { mailDecider, mailStream, type MailEvent } from '../../src/domain/mail/mail.ts';
import { reactionDecider } from '../../src/domain/reactions/parked-reactions.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { decode, journal } from '../../src/eventstore/journal/codec.ts';
import { createLogRewinds } from '../../src/eventstore/postgres/log-rewinds.ts';
import { openLog } from '../support/stores/log.ts';
import { createDueMails, type DueMails } from '../../src/mail/due-mails.ts';
import { createMailProcess, type FailedMail } from '../../src/mail/mail-process.ts';
import { startMailSender, type MailSenderOptions } from '../../src/mail/mail-sender.ts';
import type { Mailer } from '../../src/mail/mailer.ts';
import { createSmtpMailer } from '../../src/mail/smtp.ts';
import { queueMail } from '../../src/mail/templates/templates.ts';
import { startProcess } from '../../src/reactions/process.ts';
import { query } from '../support/sql.ts';

export const CODE = '48151623';
export const LINK = 'http://localhost:8080/verify?token=t0k3n-0f-th3-l1nk';
export const EMAIL = 'ada@example.com';

const operator = { name: 'KissAPI', supportEmail: 'support@example.com', publicUrl: 'http://gateway.test:8080' };

export const smtpMailer = (port: number, sendWithinMs?: number): Mailer =>
  createSmtpMailer({
    server: { host: '127.0.0.1', port, secure: false, requireTls: false, auth: undefined },
    from: { name: 'KissAPI', address: 'no-reply@gateway.test' },
    ...(sendWithinMs === undefined ? {} : { sendWithinMs }),
  });

/** Queues mails and reads their histories; sends nothing. */
export const openMails = (databaseUrl: string) => {
  const store = openLog(databaseUrl);
  const committer = createCommitter({ store });
  const mails = createCommands({ store, committer, codec: journal, decider: mailDecider });
  const queued = queueMail('verify_address', { kind: 'claim', id: 'clm_1' }, { expires_at: '2026-12-01T00:10:00Z' });
  return {
    ...{ store, committer, mails },
    /** Queues a verification mail, or one of another template. */
    queue: (mailId: string, template = 'verify_address') =>
      mails.execute(mailStream(mailId), { ...queued, template }, { actor: 'test', commandId: mailId }),
    history: async (mailId: string): Promise<readonly MailEvent[]> =>
      (await store.readStream(mailStream(mailId), 0, 100)).map((stored) => decode(stored).event as MailEvent),
    close: async (): Promise<void> => {
      await committer.close();
      await store.close();
    },
  };
};

type Execute = MailSenderOptions['mails']['execute'];

export type PostOptions = {
  readonly databaseUrl: string;
  readonly mailer: Mailer;
  readonly now?: () => Date;
  readonly over?: Partial<MailSenderOptions>;
  readonly wrapDue?: (due: DueMails) => DueMails;
  readonly wrapExecute?: (execute: Execute) => Execute;
};

type Reports = { readonly failedMails: FailedMail[]; readonly errors: unknown[] };

const startSender = (
  options: PostOptions,
  { mails }: ReturnType<typeof openMails>,
  due: DueMails,
  reports: Reports,
) => {
  const { databaseUrl, mailer, now, over, wrapExecute } = options;
  return startMailSender({
    ...{ databaseUrl, due, mailer, operator: () => operator },
    mails: { read: mails.read, execute: wrapExecute ? wrapExecute(mails.execute) : mails.execute },
    // The log has the time of the machine: a mail is due as soon as it is queued.
    now: now ?? (() => new Date(Date.now() + 60_000)),
    addressOf: () => Promise.resolve({ email: EMAIL, name: 'Ada Lovelace' }),
    secretsOf: () => Promise.resolve({ code: CODE, link: LINK }),
    textsOf: () => Promise.resolve({}),
    attempted: () => undefined,
    failed: (error) => reports.errors.push(error),
    everyMs: 50,
    ...over,
  });
};

/** All that a node needs to send mail. */
export const openPost = (options: PostOptions) => {
  const { databaseUrl, wrapDue } = options;
  const opened = openMails(databaseUrl);
  const { store, committer, mails } = opened;
  const rewinds = createLogRewinds(databaseUrl);
  const reactions = createCommands({ store, committer, codec: journal, decider: reactionDecider });
  const table = createDueMails(databaseUrl);
  const due = wrapDue ? wrapDue(table) : table;
  const reports: Reports = { failedMails: [], errors: [] };
  const sender = startSender(options, opened, due, reports);
  const process = startProcess({
    ...{ databaseUrl, store, reactions, commonPosition: rewinds.newestCommon },
    process: createMailProcess({
      ...{ due, mails },
      queued: sender.wake,
      failed: (mail) => {
        reports.failedMails.push(mail);
        return Promise.resolve({ kind: 'accepted' });
      },
    }),
    parked: () => undefined,
    failed: (error) => reports.errors.push(error),
    rewound: () => undefined,
  });
  return {
    ...{ ...opened, due, reports },
    close: async (): Promise<void> => {
      await process.close();
      await sender.close();
      await table.close();
      await rewinds.close();
      await opened.close();
    },
  };
};

/** The text of every row of every table. */
export const dump = async (databaseUrl: string): Promise<string> => {
  const tables = await query<{ name: string }>(
    databaseUrl,
    `select quote_ident(table_name) as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) =>
      (await query<{ row: string }>(databaseUrl, `select t::text as row from ${name} t`)).map(({ row }) => row),
    ),
  );
  return texts.flat().join('\n');
};

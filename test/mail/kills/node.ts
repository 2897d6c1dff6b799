/** A node in a process of its own, which kills itself at a step: `node node.ts [step]`. */
import { openPost, smtpMailer } from '../post.ts';

const [step = ''] = process.argv.slice(2);
const reach = (reached: string): void => {
  if (reached === step) process.kill(process.pid, 'SIGKILL');
};

const smtp = smtpMailer(Number(process.env['NODE_SMTP_PORT']));
openPost({
  databaseUrl: process.env['NODE_DATABASE_URL'] ?? '',
  mailer: {
    send: async (message) => {
      reach('before the mail is sent');
      const outcome = await smtp.send(message);
      reach('after the mail was sent');
      return outcome;
    },
  },
  wrapDue: (due) => ({
    ...due,
    add: async (...asked) => {
      reach('before the mail is due');
      await due.add(...asked);
      reach('after the mail is due');
    },
    remove: async (mailId) => {
      reach('before its row is removed');
      await due.remove(mailId);
      reach('after its row was removed');
    },
    postpone: async (...asked) => {
      reach('before it is postponed');
      await due.postpone(...asked);
      reach('after it was postponed');
    },
  }),
  wrapExecute:
    (execute) =>
    async (...asked) => {
      reach('before the outcome is recorded');
      const outcome = await execute(...asked);
      reach('after the outcome was recorded');
      return outcome;
    },
  over: {
    // By the time of this node, an hour passes in a second: mails that are deferred are soon due again.
    now: () => new Date(Date.now() + 60_000 + 3_600 * performance.now()),
  },
});
console.log('running');

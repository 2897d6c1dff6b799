import { escapeHtml } from './mail-body.ts';
import type { Mailer, MailMessage } from './mailer.ts';

/** A mail that was not sent. */
export type OutboxMail = MailMessage & { readonly at: Date };

export type DevOutbox = Mailer & {
  /** Newest first. */
  list(): readonly OutboxMail[];
  /** The same as an HTML page. */
  page(): string;
};

const MAX_MAILS = 200;

/** Development only: keeps the newest mails in the memory of this process instead of sending them. */
export const createDevOutbox = (now: () => Date): DevOutbox => {
  let mails: readonly OutboxMail[] = [];
  return {
    send: (message) => {
      mails = [{ ...message, at: now() }, ...mails].slice(0, MAX_MAILS);
      return Promise.resolve({ kind: 'accepted', reply: '250' });
    },
    list: () => mails,
    page: () => renderOutbox(mails),
  };
};

/** A line that is a link alone, as in the text of our mails, can be opened. */
const withLinks = (text: string): string =>
  escapeHtml(text).replace(/^https?:\/\/[^\s<>"']+$/gm, (url) => `<a href="${url}" rel="noreferrer">${url}</a>`);

const renderMail = ({ at, to, subject, messageId, text }: OutboxMail): string => `<article>
<h2>${escapeHtml(subject)}</h2>
<p><strong>simulated: this mail was not sent</strong></p>
<p>${at.toISOString()} · to ${escapeHtml(to)} · ${escapeHtml(messageId)}</p>
<pre>${withLinks(text)}</pre>
</article>`;

const renderOutbox = (mails: readonly OutboxMail[]): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Outbox</title></head>
<body>
<h1>Outbox</h1>
<p>Set SMTP_URL to send mail. The newest ${MAX_MAILS} mails of this process, newest first.</p>
${mails.length === 0 ? '<p>No mail so far.</p>' : mails.map(renderMail).join('\n<hr>\n')}
</body>
</html>
`;

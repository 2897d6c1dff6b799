import type { MailEvent, MailFailure, MailReference } from '../domain/mail/mail.ts';
import type { Fact, Metadata } from '../eventstore/journal/codec.ts';
import type { DueMails } from './due-mails.ts';
import type { MailCommands } from './mail-sender.ts';

/** A mail that will not be sent. */
export type FailedMail = {
  readonly mailId: string;
  readonly to: MailReference;
  readonly template: string;
  readonly reason: MailFailure;
  readonly reply: string | null;
};

type Outcome =
  { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly refusal: { readonly code: string } };

export type MailProcessOptions = {
  readonly due: Pick<DueMails, 'add'>;
  readonly mails: Pick<MailCommands, 'read'>;
  /** Called when a mail is in the table of due mails. */
  readonly queued: () => void;
  /** Executes a command because a mail failed, under this metadata and with `mayRepeat`: a crash may repeat it. */
  readonly failed: (mail: FailedMail, metadata: Metadata) => Promise<Outcome>;
};

const STREAM = /^mail-(.+)$/;
const accepted: Outcome = { kind: 'accepted' };

/** Puts queued mails into the table of due mails, and reports those that have failed. */
export const createMailProcess = ({ due, mails, queued, failed }: MailProcessOptions) => ({
  name: 'mail',
  types: new Set<string>(['MailQueued', 'MailFailed'] satisfies MailEvent['type'][]),
  from: 'start' as const,
  react: ({ event, stream, time }: Fact): readonly ((metadata: Metadata) => Promise<Outcome>)[] => {
    const mailId = STREAM.exec(stream)?.[1];
    if (mailId === undefined) return [];
    if (event.type === 'MailQueued') {
      const put = async (): Promise<Outcome> => {
        await due.add(mailId, time);
        queued();
        return accepted;
      };
      return [put];
    }
    if (event.type !== 'MailFailed') return [];
    const { reason, reply } = event;
    const report = async (metadata: Metadata): Promise<Outcome> => {
      const { state: mail } = await mails.read(stream);
      if (mail.status === 'unknown') return accepted; // The log went back in time.
      return failed({ mailId, to: mail.to, template: mail.template, reason, reply }, metadata);
    };
    return [report];
  },
});

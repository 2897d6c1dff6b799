import { ADMIN_TOKEN_STREAM } from '../../domain/identity/admin-token.ts';
import { ownersOf, STAFF_STREAM } from '../../domain/identity/staff.ts';
import { mailStream } from '../../domain/mail/mail.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { queueMail } from '../../mail/templates/templates.ts';
import type { PeopleOptions } from '../people-options.ts';

export type AdminTokenUse = {
  /** Must resolve before the request is carried out. */
  record(method: string, path: string, requestId: string): Promise<void>;
  /** After AdminTokenUsed: a mail to each owner, at most one in an hour. May be repeated. */
  notify(at: Date): Promise<void>;
};

/** While a gateway of an earlier release runs, which records no use either, an emergency must not wait for its end. */
const unlessUpgrading = (error: unknown): void => {
  if (!(error instanceof NotReadableByAll)) throw error;
};

export const createAdminTokenUse = ({ adminToken, staff, mails }: PeopleOptions): AdminTokenUse => ({
  record: async (method, path, requestId) => {
    const metadata = { actor: 'admin', commandId: derivedId('admin', requestId), correlationId: requestId };
    await adminToken
      .execute(ADMIN_TOKEN_STREAM, { type: 'RecordAdminTokenUse', method, path }, metadata)
      .catch(unlessUpgrading);
  },
  notify: async (at) => {
    const hour = at.toISOString().slice(0, 13);
    const { state } = await staff.read(STAFF_STREAM);
    for (const owner of ownersOf(state)) {
      const mail = queueMail('admin_token_used', { kind: 'person', id: owner }, { used_at: at.toISOString() });
      const metadata = { actor: 'system:admin-token', commandId: derivedId('admin-mail', `${owner} ${hour}`) };
      // Uses after the first one in the hour find the same command.
      await mails.execute(mailStream(`admin-token-${owner}-${hour}`), mail, metadata, { mayRepeat: true });
    }
  },
});

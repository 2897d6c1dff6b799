import { expect } from 'vitest';
import type { TestSmtp } from '../../mail/smtp.ts';
import { query } from '../sql.ts';
import { ADULT, call, mailsTo, mailTo, signIn, TERMS, type Mailed, type Reply } from './person.ts';

/** Waits for the next invitation by mail while `send` is called. */
export const invitedBy = async (smtp: TestSmtp, email: string, send: () => Promise<Reply>): Promise<Mailed> => {
  const before = mailsTo(smtp, email).length;
  expect(await send()).toMatchObject({ status: 201, json: { email } });
  return mailTo(smtp, email, before + 1);
};

export const NEWCOMER = { name: 'Grace Hopper', declaration: ADULT, accept_terms: TERMS } as const;

/** Accepts the invitation of a mail; by default as a person who is new. */
export const accept = (url: string, { linkId, linkSecret }: Mailed, newcomer: object = NEWCOMER): Promise<Reply> =>
  call(url, 'POST', `/invitations/${linkId.replace(/^invite-/, '')}/accept`, {
    body: { link_secret: linkSecret, ...newcomer },
  });

type Place = { readonly url: string; readonly databaseUrl: string; readonly smtp: TestSmtp };
export type StaffMember = { readonly personId: string; readonly email: string; readonly token: string };

/** Signs in as staff. The second step is set in its table: passing it has tests of its own. */
export const signInAsStaff = async ({ url, databaseUrl, smtp }: Place, email: string): Promise<string> => {
  const token = await signIn(url, smtp, email);
  await query(databaseUrl, `update sessions set second_step_at = created_at where kind = 'staff'`);
  return token;
};

/** Invites a person to the staff by an owner or the admin token, accepts, and signs in. */
export const hire = async (place: Place, by: string, email: string, role: string): Promise<StaffMember> => {
  const { url, smtp } = place;
  const mail = await invitedBy(smtp, email, () =>
    call(url, 'POST', '/staff/invitations', { token: by, body: { email, role, reason: 'hired' } }),
  );
  const accepted = await accept(url, mail);
  expect(accepted).toMatchObject({ status: 200, json: { account_id: null, role } });
  return { personId: String(accepted.json['person_id']), email, token: await signInAsStaff(place, email) };
};

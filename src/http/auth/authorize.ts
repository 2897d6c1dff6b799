import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { StaffRole } from '../../domain/identity/person-events.ts';
import type { Sessions } from '../../identity/sessions.ts';
import type { Tokens } from '../../identity/tokens.ts';
import type { Principal } from './principals.ts';

const bearer = /^Bearer +(\S+) *$/i;
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export type AuthorizeOptions = {
  readonly adminToken: string;
  readonly sessions: Pick<Sessions, 'find'>;
  readonly tokens: Pick<Tokens, 'find'>;
  /** The role of a person who is staff; null for others. */
  readonly staffRoleOf: (personId: string) => Promise<StaffRole | null>;
};

/** Whether the request carries the admin token. Compares digests, which have equal lengths. */
export const createIsAdmin = (adminToken: string): ((request: Request) => boolean) => {
  const expected = digest(adminToken);
  return ({ headers }) => {
    const sent = bearer.exec(headers.authorization ?? '')?.[1];
    return sent !== undefined && timingSafeEqual(digest(sent), expected);
  };
};

/** Finds the caller by the token in `Authorization: Bearer …`; undefined if it has none, or one that is not valid. */
export const createAuthorize = ({ adminToken, sessions, tokens, staffRoleOf }: AuthorizeOptions) => {
  const isAdmin = createIsAdmin(adminToken);
  return async (request: Request): Promise<Principal | undefined> => {
    if (isAdmin(request)) return { kind: 'admin' };
    const sent = bearer.exec(request.headers.authorization ?? '')?.[1];
    if (sent === undefined) return undefined;
    const session = await sessions.find(sent);
    if (session) {
      const staffRole = session.kind === 'staff' ? await staffRoleOf(session.personId) : null;
      return { kind: 'session', session, staffRole };
    }
    const token = await tokens.find(sent);
    return token && { kind: 'token', token };
  };
};

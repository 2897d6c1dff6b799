import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { problem, type Problem } from '../server/problems.ts';

const bearer = /^Bearer +(\S+) *$/i;
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Tells what is wrong with the caller; undefined for the administrator. Digests are equally long, whatever is sent. */
export const createAuthorize = (adminToken: string): ((request: Request) => Problem | undefined) => {
  const expected = digest(adminToken);
  return ({ headers }) => {
    const sent = bearer.exec(headers.authorization ?? '')?.[1];
    return sent !== undefined && timingSafeEqual(digest(sent), expected) ? undefined : problem('invalid_admin_token');
  };
};

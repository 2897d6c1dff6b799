import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { problem, type Problem } from '../server/problems.ts';

const bearer = /^Bearer +(\S+) *$/i;
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The problem of a caller without the admin token; undefined otherwise. Compares digests, which have equal lengths. */
export const createAuthorize = (adminToken: string): ((request: Request) => Problem | undefined) => {
  const expected = digest(adminToken);
  return ({ headers }) => {
    const sent = bearer.exec(headers.authorization ?? '')?.[1];
    return sent !== undefined && timingSafeEqual(digest(sent), expected) ? undefined : problem('invalid_admin_token');
  };
};

import { z } from 'zod';
import { readers } from '../../auth/principals.ts';
import type { Moment } from '../../../eventstore/snapshots.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { accountAt, accountNow, type AccountAt } from './account-at.ts';
import { accountExample, accountView, viewAccount } from './views/account-view.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { openHolder } from './holder.ts';
import { MAX_REVISION, moment, wholeNumber } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

export const readAccount = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}',
  principals: readers(),
  summary: 'Read an account, now or at a moment',
  description: 'With at or revision, the account after the last event up to then, folded from the log.',
  query: z.strictObject({
    at: moment.optional().meta({ description: 'A moment in the past', example: '2026-01-31T10:00:00Z' }),
    revision: wholeNumber("A place in the account's history", 0, MAX_REVISION).optional(),
  }),
  success: { status: 200, description: 'The account', schema: accountView, example: accountExample },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, query: { at, revision } }, deps) => {
    if (at && revision !== undefined) {
      return problem('invalid_request', { message: 'Ask for a time or for a revision, not for both.', param: 'at' });
    }
    const asked: Moment | undefined = at ? { at } : revision !== undefined ? { revision } : undefined;
    const found = asked ? await readThen(deps, account_id, asked) : await accountNow(deps, account_id);
    if (!found) return problem('account_not_found');
    if (isProblem(found)) return found;
    const { registration } = found.account.standing;
    const personal = registration ? await openHolder(deps, account_id, registration.personal) : undefined;
    return { answer: viewAccount(account_id, found, personal) };
  },
});

const readThen = async (
  deps: ManagementDeps,
  accountId: string,
  asked: Moment,
): Promise<AccountAt | Problem | undefined> => {
  const found = await accountAt(deps, accountId, asked);
  if (!found) {
    const existsNow = (await accountAt(deps, accountId, { revision: 0 }))?.registeredAt.toISOString();
    if (existsNow === undefined) return undefined;
    const message = `The account did not exist at that time: it was registered at ${existsNow}. Ask for a later time.`;
    return problem('account_not_found', { message, param: 'at' });
  }
  if ('revision' in asked && asked.revision > found.revision) {
    const message = `There is no such revision yet: the newest revision is ${found.revision}.`;
    return problem('invalid_request', { message, param: 'revision' });
  }
  // The clock of the store may be ahead of ours, and the time of a known event is valid.
  if ('at' in asked && asked.at > deps.now() && asked.at > found.lastEventAt) {
    return problem('invalid_request', {
      message: 'That time is yet to come. Ask for a time in the past.',
      param: 'at',
    });
  }
  return found;
};

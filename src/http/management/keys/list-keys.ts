import { z } from 'zod';
import { readers } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { accountNow } from '../accounts/account-at.ts';
import { accountExample, keyView, viewKeys } from '../accounts/views/account-view.ts';
import { defineRoute } from '../router/route.ts';

export const listKeys = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/keys',
  principals: [...readers(), 'token:keys'],
  summary: "List an account's API keys",
  description: 'Including revoked keys, oldest first.',
  success: {
    status: 200,
    description: 'The keys',
    schema: z.strictObject({ data: z.array(keyView) }),
    example: { data: accountExample.keys },
  },
  problems: ['account_not_found'],
  handle: async ({ params }, deps) => {
    const at = await accountNow(deps, params.account_id);
    return at ? { answer: { data: viewKeys(at) } } : problem('account_not_found');
  },
});

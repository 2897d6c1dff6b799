import { z } from 'zod';
import { isCustomer, readers } from '../../auth/principals.ts';
import { accountStream } from '../../../domain/account/account.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { decode, type Recorded } from '../../../eventstore/journal/codec.ts';
import { problem } from '../../server/problems.ts';
import { eventView, isForCustomers, viewEvent } from './views/event-view.ts';
import { MAX_REVISION, wholeNumber } from '../router/fields.ts';
import { openHolder } from './holder.ts';
import { defineRoute } from '../router/route.ts';

const MAX_LIMIT = 1000;

export const listEvents = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/events',
  principals: readers(),
  summary: 'Read the events of an account',
  description:
    'Oldest first. What is only for staff is left out for customers. next_revision is the start of the next page, or null at the end.',
  query: z.strictObject({
    from_revision: wholeNumber('The first revision to read', 0, MAX_REVISION).default(0),
    limit: wholeNumber('The largest number of events', 1, MAX_LIMIT).default(100),
  }),
  success: {
    status: 200,
    description: 'A page of events',
    schema: z.strictObject({ data: z.array(eventView), next_revision: z.int().nullable() }),
    example: {
      data: [
        {
          revision: 3,
          position: 1042,
          time: '2026-01-31T10:00:00.000Z',
          type: 'CreditsToppedUp',
          data: {
            lot_id: 'lot_5a90c3d7e1f24b68a0c4d792',
            amount_usd: '5.00',
            source: { kind: 'grant', reason: 'Welcome credits' },
          },
          actor: 'admin',
          request_id: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
        },
      ],
      next_revision: 4,
    },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, query: { from_revision, limit }, actor }, { store, vault, commands }) => {
    const stream = accountStream(account_id);
    if ((await store.readStream(stream, 0, 1)).length === 0) return problem('account_not_found');
    // One more than requested shows whether there is a next page.
    const page = await store.readStream(stream, from_revision, limit + 1);
    const recorded = page.slice(0, limit).map((stored) => decode(stored) as Recorded<AccountEvent>);
    const shown = isCustomer({ actor }) ? recorded.filter(isForCustomers) : recorded;
    const data = await Promise.all(
      shown.map(async (one) => {
        const { event } = one;
        return viewEvent(
          one,
          'personal' in event ? await openHolder({ vault, commands }, account_id, event.personal) : undefined,
        );
      }),
    );
    return { answer: { data, next_revision: page.length > limit ? from_revision + limit : null } };
  },
});

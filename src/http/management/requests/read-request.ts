import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { accountOfStream } from '../../../domain/account/account.ts';
import { formatUsd, type Credits } from '../../../domain/money.ts';
import { accountId, generationId, requestId, time, usd } from '../router/fields.ts';
import { problem } from '../../server/problems.ts';
import { defineRoute } from '../router/route.ts';
import { refusalExample, refusalView, viewRefusal } from './list-refusals.ts';

/** The generations and events of an HTTP request in the log; empty if it was refused before it wrote anything. */
export type FindHttpRequest = (requestId: string) => Promise<{
  readonly generations: readonly {
    readonly request_id: string;
    readonly account_id: string;
    readonly key_id: string;
    readonly status: string;
    readonly model: string;
    readonly charged: Credits;
    readonly reversed: Credits;
    readonly detail: string | null;
    readonly reserved_at: Date;
  }[];
  readonly events: readonly {
    readonly stream: string;
    readonly revision: number;
    readonly position: number;
    readonly time: Date;
    readonly type: string;
    readonly actor: string;
  }[];
}>;

const UUID_V7 = /^req_([\da-f]{8})-([\da-f]{4})-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** A request id begins with its time of arrival. */
const cameAt = (id: string): Date | undefined => {
  const [, high, low] = UUID_V7.exec(id) ?? [];
  return high === undefined ? undefined : new Date(Number.parseInt(`${high}${low}`, 16));
};

export const readRequest = defineRoute({
  method: 'get',
  path: '/requests/{request_id}',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'Find the effects of an HTTP request',
  description:
    'By the request id of an error or of x-request-id. Requests that were refused before credits were held, or that only ' +
    'read, leave nothing in the log; the answer then states that nothing was charged, and why it was refused.',
  success: {
    status: 200,
    description: 'Its generations and events',
    schema: z.strictObject({
      request_id: requestId,
      came_at: time,
      charged_usd: usd,
      reversed_usd: usd.meta({ description: 'What was given back of it' }),
      summary: z.string(),
      generations: z.array(
        z.strictObject({
          generation_id: generationId,
          account_id: accountId,
          key_id: z.string(),
          status: z.string(),
          model: z.string(),
          charged_usd: usd,
          reversed_usd: usd,
          detail: z.string().nullable().meta({ description: 'Why nothing was charged' }),
          created_at: time,
        }),
      ),
      events: z
        .array(
          z.strictObject({
            account_id: accountId.nullable(),
            stream: z.string(),
            revision: z.int().nonnegative(),
            position: z.int().positive(),
            time,
            type: z.string(),
            actor: z.string(),
          }),
        )
        .meta({ description: 'Its other changes, such as a grant or a key' }),
      refusals: z.array(refusalView).meta({ description: 'If it was refused; kept beside the log for 30 days' }),
    }),
    example: {
      request_id: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
      came_at: '2025-08-29T12:00:00.000Z',
      charged_usd: '0.00',
      reversed_usd: '0.00',
      summary: 'Nothing was charged. The request was refused: insufficient_credits.',
      generations: [],
      events: [],
      refusals: [refusalExample],
    },
  },
  problems: ['not_found'],
  handle: async ({ params: { request_id } }, { findHttpRequest, refusals }) => {
    const at = cameAt(request_id);
    if (!at) {
      const message = 'This is not a request id, which begins with req_ as in the header x-request-id. Check the id.';
      return problem('not_found', { message });
    }
    const { generations, events } = await findHttpRequest(request_id);
    const refused = await refusals.byRequest(request_id);
    const charged = generations.reduce((sum, one) => sum + one.charged, 0n);
    const reversed = generations.reduce((sum, one) => sum + one.reversed, 0n);
    return {
      answer: {
        request_id,
        came_at: at.toISOString(),
        charged_usd: formatUsd(charged),
        reversed_usd: formatUsd(reversed),
        summary: summaryOf({ charged, reversed }, generations, events.length, refused[0]?.code),
        generations: generations.map((one) => ({
          generation_id: one.request_id,
          account_id: one.account_id,
          key_id: one.key_id,
          status: one.status,
          model: one.model,
          charged_usd: formatUsd(one.charged),
          reversed_usd: formatUsd(one.reversed),
          detail: one.detail,
          created_at: one.reserved_at.toISOString(),
        })),
        events: events.map(({ time, ...event }) => ({
          ...event,
          account_id: accountOfStream(event.stream) ?? null,
          time: time.toISOString(),
        })),
        refusals: refused.map(viewRefusal),
      },
    };
  },
});

const summaryOf = (
  { charged, reversed }: { readonly charged: Credits; readonly reversed: Credits },
  generations: readonly { readonly status: string }[],
  events: number,
  refusal: string | undefined,
): string => {
  if (generations.some(({ status }) => status === 'open'))
    return 'A generation is in progress: nothing is charged yet.';
  if (reversed > 0n) return `$${formatUsd(charged)} was charged, and $${formatUsd(reversed)} of it was given back.`;
  if (charged > 0n) return `$${formatUsd(charged)} was charged.`;
  if (generations.length > 0) return 'Nothing was charged: the hold was released.';
  if (events > 0) return 'Nothing was charged. The request changed an account or the price book: see events.';
  if (refusal !== undefined) return `Nothing was charged. The request was refused: ${refusal}.`;
  return 'Nothing was charged. The log has no event of this request: it was refused, or it only read.';
};

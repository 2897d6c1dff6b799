import { afterEach, describe, expect, it } from 'vitest';
import type { ManagementDeps } from '../../../src/http/management/router/deps.ts';
import type { KeptRefusal } from '../../../src/reactions/refusals.ts';
import { refusal, startManagementApi, type ManagementApi } from './management-api.ts';

type Found = Awaited<ReturnType<ManagementDeps['findHttpRequest']>>;

const ID = 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
const generation = (status: string, charged: bigint, reversed = 0n): Found['generations'][number] => ({
  ...{ request_id: ID.replace('req_', 'gen-'), account_id: 'acc_1', key_id: 'key_1', model: 'm', detail: null },
  ...{ status, charged, reversed, reserved_at: new Date(0) },
});
const event: Found['events'][number] = {
  ...{ stream: 'account-acc_1', revision: 3, position: 9, time: new Date(0), type: 'CreditsGranted', actor: 'admin' },
};
const refused: KeptRefusal = {
  ...{ account_id: 'acc_1', key_id: 'key_1', code: 'insufficient_credits', status: 402, count: 1, figures: null },
  ...{ request_ids: [ID], minute: new Date(0), last_at: new Date(0) },
};

let api: ManagementApi | undefined;
afterEach(() => api?.close());

const read = async (found: Partial<Found>, refusals: readonly KeptRefusal[] = [], id = ID) => {
  const asked: string[] = [];
  api = await startManagementApi({
    findHttpRequest: (requestId) => {
      asked.push(requestId);
      return Promise.resolve({ generations: [], events: [], ...found });
    },
    refusals: {
      ofAccount: () => Promise.resolve([]),
      byRequest: () => Promise.resolve(refusals),
    },
  });
  return { ...(await api.get(`/requests/${id}`)), asked };
};

describe('GET /requests/{request_id}', () => {
  it.each<[string, Partial<Found>, readonly KeptRefusal[], RegExp]>([
    ['a charge', { generations: [generation('settled', 7n)] }, [], /^\$0\.000000007 was charged/],
    [
      'a charge that was reversed in part',
      { generations: [generation('settled', 7n, 3n)] },
      [],
      /^\$0\.000000007 was charged, and \$0\.000000003 of it was given back\.$/,
    ],
    ['a generation in progress', { generations: [generation('open', 0n)] }, [], /in progress: nothing is charged yet/],
    ['a released hold', { generations: [generation('released', 0n)] }, [], /^Nothing was charged: the hold was rele/],
    ['a change of an account', { events: [event] }, [], /^Nothing was charged\. The request changed an account/],
    ['a refusal', {}, [refused], /^Nothing was charged\. The request was refused: insufficient_credits/],
    ['nothing in the log', {}, [], /^Nothing was charged\. The log has no event of this request/],
  ])('200: states what an error asks customers to report: %s', async (_, found, refusals, summary) => {
    const { status, json, asked } = await read(found, refusals);
    expect(status).toBe(200);
    expect(json['summary']).toMatch(summary);
    expect(json).toMatchObject({ request_id: ID, came_at: '2025-08-29T02:57:45.758Z' });
    expect(asked).toEqual([ID]);
  });

  it('404: an id of another kind', async () => {
    const answer = await read({}, [], 'gen-1');
    expect(refusal(answer)).toEqual([404, 'not_found']);
    expect(answer.asked).toEqual([]);
  });
});

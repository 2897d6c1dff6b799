import { z } from 'zod';
import type { Found } from '../../../people/search/search.ts';
import { accountOfStream } from '../../../domain/account/account.ts';
import { staff } from '../../auth/principals.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, generationId, keyId, requestId, text } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { personId } from '../people/fields.ts';

const MAX_RESULTS = 50;

const matches = [
  ...(['account_id', 'person_id', 'email', 'name', 'person', 'key', 'key_id', 'key_hint'] as const),
  ...(['generation_id', 'request_id', 'provider_id'] as const),
] as const;

const result = z
  .strictObject({
    kind: z.enum(['account', 'person', 'key', 'generation', 'request']),
    account_id: accountId.nullable(),
    person_id: personId.nullable(),
    key_id: keyId.nullable(),
    generation_id: generationId.nullable(),
    request_id: requestId.nullable(),
    name: z.string().nullable().meta({ description: 'Of a person or an account; null once it was erased' }),
    email: z.string().nullable(),
    matched: z.enum(matches).meta({ description: 'What is equal. person: an account of a person that was found' }),
  })
  .meta({ id: 'SearchResult' });

type Result = z.output<typeof result>;

const NOTHING = {
  ...{ account_id: null, person_id: null, key_id: null, generation_id: null, request_id: null },
  ...{ name: null, email: null },
} as const;

export const search = defineRoute({
  method: 'post',
  path: '/search',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'Find accounts, persons, keys, generations and requests',
  description:
    'By account id, person id, e-mail address in any spelling, all words of a name, API key, key id, the last four characters of a key, generation id, request id, or the id of a response at the provider. ' +
    'Names are found by whole words; case and diacritics do not count. It is a POST because a key or an address in a URL would be in the logs of proxies. Changes of names are found within seconds.',
  body: {
    schema: z.strictObject({
      q: text(500).meta({ description: 'What to find', example: 'ada@example.com' }),
    }),
    example: { q: 'ada@example.com' },
  },
  success: {
    status: 200,
    description: `At most ${MAX_RESULTS} results`,
    schema: z.strictObject({
      data: z.array(result),
      has_more: z.boolean().meta({ description: 'Whether there are more: search for more words' }),
    }),
    example: {
      data: [
        {
          ...NOTHING,
          ...{ kind: 'person', person_id: 'per_5b0d27c41e8f4a96b3c7d810', matched: 'email' },
          ...{ name: 'Ada Lovelace', email: 'ada@example.com' },
        },
        {
          ...NOTHING,
          ...{ kind: 'account', account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', matched: 'person' },
          ...{ person_id: 'per_5b0d27c41e8f4a96b3c7d810', name: 'Ada Lovelace', email: 'ada@example.com' },
        },
      ],
      has_more: false,
    },
  },
  problems: [],
  handle: async ({ body: { q } }, deps) => {
    const results = [
      ...byKey(deps, q),
      ...(await deps.people.search(q, MAX_RESULTS + 1)).map(viewFound),
      ...(await byRequest(deps, q)),
    ];
    return { answer: { data: results.slice(0, MAX_RESULTS), has_more: results.length > MAX_RESULTS } };
  },
});

const viewFound = (found: Found): Result => {
  const { kind, matched } = found;
  if (kind === 'key') return { ...NOTHING, kind, account_id: found.accountId, key_id: found.keyId, matched };
  const { name = null, email = null } = found.personal ?? {};
  const ids =
    kind === 'person'
      ? { person_id: found.personId }
      : { account_id: found.accountId, person_id: found.personId ?? null };
  return { ...NOTHING, kind, ...ids, name, email, matched };
};

const byKey = ({ findKey }: ManagementDeps, asked: string): readonly Result[] => {
  const owner = findKey(asked);
  if (!owner) return [];
  return [{ ...NOTHING, kind: 'key', account_id: owner.accountId, key_id: owner.keyId, matched: 'key' }];
};

/** Ids are printable. Shorter ones are found as other things. */
const ID_OF_A_REQUEST = /^[\x21-\x3f\x41-\x7e]{8,}$/;

const byRequest = async (deps: ManagementDeps, asked: string): Promise<readonly Result[]> => {
  // A key is not sent on as an id.
  if (!ID_OF_A_REQUEST.test(asked) || deps.findKey(asked)) return [];
  const { generations, events } = await deps.findHttpRequest(asked);
  const isRequest = asked.startsWith('req_');
  const matched = isRequest ? 'request_id' : asked.startsWith('gen-') ? 'generation_id' : 'provider_id';
  const found = generations.map((one): Result => ({
    ...NOTHING,
    ...{ kind: 'generation', account_id: one.account_id, key_id: one.key_id, generation_id: one.request_id, matched },
  }));
  if (!isRequest) return found;
  const refusals = await deps.refusals.byRequest(asked);
  const changed = events.map(({ stream }) => accountOfStream(stream) ?? null);
  const accounts = new Set([...changed, ...refusals.map(({ account_id }) => account_id)]);
  return [
    ...found,
    ...[...accounts].map((account_id): Result => ({
      ...NOTHING,
      kind: 'request',
      account_id,
      request_id: asked,
      matched: 'request_id',
    })),
  ];
};

import OpenAI, { APIConnectionError, type APIError, type ClientOptions } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { audited, auditedOne, untouched, type Customer } from '../../support/customers/audit.ts';
import { createCuttingProxy, type CuttingProxy } from '../../support/postgres/cutting-proxy.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { collect, sharedHouse, failure, simulate, type House } from '../../support/house.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

const MODEL = 'gpt-4o-mini';
const messages = [{ role: 'user' as const, content: 'How are you?' }];
const body = { model: MODEL, messages };
const TEXT = Array.from({ length: 100 }, () => 'word').join(' ');
/** What the design promises of the holds of a process that died. */
const RELEASED_WITHIN_MS = 5000;

let house: House;
let internet: CuttingProxy;
let customer: Customer;
beforeAll(async () => {
  house = await sharedHouse();
  internet = await createCuttingProxy(house.gateway.url);
});
beforeEach(async () => {
  customer = await house.gateway.openAccount('5.00');
});
afterAll(async () => {
  await internet.close();
  await house.close();
});

const under = (key: string) => ({ headers: { 'Idempotency-Key': key } });

/** What the SDK sent: for each request, which retry it says it is, and its key. */
type Tries = [retry: string | null, key: string | null][];

/** The official client, retrying as it does by itself, behind an internet that loses answers. */
const abroad = (tries: Tries, options: ClientOptions = {}): OpenAI =>
  house.gateway.client(customer.apiKey, {
    baseURL: `${internet.url}/v1`,
    maxRetries: 2,
    fetch: (url, init) => {
      const headers = new Headers(init?.headers);
      tries.push([headers.get('x-stainless-retry-count'), headers.get('idempotency-key')]);
      return fetch(url, init);
    },
    ...options,
  });

const told = ({ status, code, headers, error }: APIError) => ({
  status,
  code,
  retry: headers?.get('x-should-retry'),
  generationId: headers?.get('x-kissapi-generation-id'),
  costUsd: headers?.get('x-kissapi-cost-usd') ?? undefined,
  body: error as unknown,
});

const used = ({ generationId, chargedUsd }: { generationId: string; chargedUsd: string }) => ({
  status: 409,
  code: 'idempotency_key_used',
  retry: 'false',
  generationId,
  costUsd: chargedUsd,
  body: expect.objectContaining({ generation_id: generationId, cost_usd: chargedUsd }) as unknown,
});

describe('an answer that is lost after it was charged, and asked for again by the SDK', () => {
  it('is charged once under a key, and the SDK says what became of it', async () => {
    const tries: Tries = [];
    internet.cut(1);
    const { result, generation } = await auditedOne(house, customer, async () =>
      failure(abroad(tries).chat.completions.create(body, under('order 1'))),
    );
    expect(tries).toEqual([
      ['0', 'order 1'],
      ['1', 'order 1'],
    ]);
    expect(result).toBeInstanceOf(OpenAI.ConflictError);
    expect(told(result)).toEqual(used(generation));
    expect(generation.charged).toBeGreaterThan(0n);
    const receipt = await fetch(`${house.gateway.url}/v1/generation?id=${told(result).generationId}`, {
      headers: { authorization: `Bearer ${customer.apiKey}` },
    });
    expect(await receipt.json()).toMatchObject({ data: { status: 'settled', total_cost_usd: generation.chargedUsd } });
  });

  it('is charged once by a client that makes its own keys', async () => {
    class Careful extends OpenAI {
      protected override idempotencyHeader = 'Idempotency-Key';
    }
    const tries: Tries = [];
    const { fetch: recording } = abroad(tries) as unknown as { fetch: NonNullable<ClientOptions['fetch']> };
    const client = new Careful({ apiKey: customer.apiKey, baseURL: `${internet.url}/v1`, fetch: recording });
    internet.cut(1);
    const { result, generation } = await auditedOne(house, customer, () =>
      failure(client.chat.completions.create(body)),
    );
    expect(told(result)).toEqual(used(generation));
    expect(tries.map(([retry]) => retry)).toEqual(['0', '1']);
    expect(new Set(tries.map(([, key]) => key)).size).toBe(1);
    // The next one is another one.
    await auditedOne(house, customer, () => client.chat.completions.create(body));
  });

  it.each([
    ['a stream', (client: OpenAI) => client.chat.completions.create({ ...body, stream: true }, under('k'))],
    [
      'a legacy completion',
      (client: OpenAI) => client.completions.create({ model: 'simulated-completion', prompt: 'Once' }, under('k')),
    ],
    [
      'embeddings',
      (client: OpenAI) => client.embeddings.create({ model: 'text-embedding-3-small', input: 'one' }, under('k')),
    ],
  ] as const)('is charged once, be it %s', async (_, ask) => {
    internet.cut(1);
    const { result, generation } = await auditedOne(house, customer, () => failure(ask(abroad([]))));
    expect(told(result)).toEqual(used(generation));
  });

  it('is charged again without a key: nobody can know that it is the same', async () => {
    internet.cut(1);
    const { generations } = await audited(house, customer, () => abroad([]).chat.completions.create(body));
    expect(generations.map(({ charged }) => charged > 0n)).toEqual([true, true]);
  });

  it('costs nothing to try in vain: the connection is lost each time', async () => {
    internet.cut(3);
    const { result, generation } = await auditedOne(house, customer, () =>
      failure(abroad([]).chat.completions.create(body, under('k'))),
    );
    expect(result).toBeInstanceOf(APIConnectionError);
    const again = await untouched(house, customer, () =>
      failure(house.gateway.client(customer.apiKey).chat.completions.create(body, under('k'))),
    );
    expect(told(again)).toEqual(used(generation));
  });
});

describe('under one key', () => {
  const client = (gateway: RunningGateway = house.gateway) => gateway.client(customer.apiKey);

  it('a stream whose customer left in the middle is paid for, and not sent again', async () => {
    const wish = { ...body, stream: true as const, ...simulate({ text: TEXT, tokenMs: 20 }) };
    const { generation } = await auditedOne(house, customer, async () => {
      const stream = await client().chat.completions.create(wish, under('k'));
      let seen = 0;
      for await (const { choices } of stream) if (choices[0]?.delta.content && ++seen === 5) break;
    });
    expect(generation.delivery).toMatchObject({ ended: 'client_gone', usage_source: 'metered' });
    const error = await untouched(house, customer, () => failure(client().chat.completions.create(wish, under('k'))));
    expect(told(error)).toEqual(used(generation));
  });

  it('what failed at the provider is carried out when it is sent again', async () => {
    const tries: Tries = [];
    const failing = { ...body, ...simulate({ status: 500 }) };
    const { result, generations } = await audited(house, customer, () =>
      failure(abroad(tries).chat.completions.create(failing, under('k'))),
    );
    expect(told(result)).toMatchObject({ status: 502, retry: 'true' });
    expect(tries.map(([retry]) => retry)).toEqual(['0', '1', '2']);
    expect(generations.map(({ charged }) => charged)).toEqual([0n, 0n, 0n]);
    // Nothing came of it, so the key may even stand for something else.
    const { generation } = await auditedOne(house, customer, () => client().chat.completions.create(body, under('k')));
    expect(generation.charged).toBeGreaterThan(0n);
  });

  it('nothing else is asked: another body, another endpoint', async () => {
    const { generation } = await auditedOne(house, customer, () => client().chat.completions.create(body, under('k')));
    const reused = {
      status: 409,
      code: 'idempotency_key_reused',
      retry: 'false',
      generationId: generation.generationId,
    };
    const others = [
      () => client().chat.completions.create({ ...body, temperature: 0.5 }, under('k')),
      () => client().embeddings.create({ model: 'text-embedding-3-small', input: 'one' }, under('k')),
    ];
    for (const other of others) {
      expect(told(await untouched(house, customer, () => failure(other())))).toMatchObject(reused);
    }
  });

  it('each account has its own request', async () => {
    const other = await house.gateway.openAccount('5.00');
    await auditedOne(house, customer, () => client().chat.completions.create(body, under('k')));
    await auditedOne(house, other, () => house.gateway.client(other.apiKey).chat.completions.create(body, under('k')));
  });

  it('a key is 1 to 255 characters that can be printed', async () => {
    for (const key of ['k'.repeat(256), 'naïve']) {
      const error = await untouched(house, customer, () => failure(client().chat.completions.create(body, under(key))));
      expect(told(error)).toMatchObject({ status: 400, code: 'invalid_request', retry: 'false' });
    }
  });

  it('neither the key nor the words are kept', async () => {
    const canary = 'canary-9b21';
    const words = { ...body, messages: [{ role: 'user' as const, content: canary }] };
    await auditedOne(house, customer, () => client().chat.completions.create(words, under(canary)));
    const [found] = await query<{ found: boolean }>(
      house.premises.databaseUrl,
      `select bool_or(e::text like '%${canary}%') as found from events e`,
    );
    expect(found).toEqual({ found: false });
    expect(house.gateway.process.output()).not.toContain(canary);
  });

  describe('sent to two gateways on one database', () => {
    let other: RunningGateway;
    const startOther = () =>
      house.premises.startGateway({ OPENAI_UPSTREAM_URL: house.upstream.url, OPENAI_API_KEY: 'sk-of-the-house' });
    const openHolds = async (): Promise<AccountView['open_holds']> =>
      (await house.gateway.manage<AccountView>('GET', `/accounts/${customer.accountId}`)).open_holds;
    beforeAll(async () => {
      other = await startOther();
    });
    // A new key is known everywhere within a second.
    beforeEach(() =>
      expect
        .poll(
          () =>
            client(other)
              .models.list()
              .then(() => 'known', told),
          SOON,
        )
        .toBe('known'),
    );

    it('sent at once, one is carried out and the others are refused with its generation', async () => {
      const slow = { ...body, ...simulate({ firstByteMs: 500 }) };
      const { result, generation } = await auditedOne(house, customer, () =>
        Promise.all(
          Array.from({ length: 12 }, (_, n) => client(n % 2 === 0 ? house.gateway : other))
            .map((one) => one.chat.completions.create(slow, under('k')))
            .map((answer) => answer.then(() => undefined, told)),
        ),
      );
      const refusals = result.filter((one) => one !== undefined);
      expect(refusals).toHaveLength(11);
      const underWay = {
        status: 409,
        code: 'idempotency_in_progress',
        retry: 'true',
        generationId: generation.generationId,
        costUsd: undefined,
        body: expect.objectContaining({ generation_id: generation.generationId }) as unknown,
      };
      // A request that arrives after the first has settled is refused because the key is used.
      const expected = (refusal: ReturnType<typeof told>) =>
        refusal.code === 'idempotency_key_used' ? used(generation) : underWay;
      for (const refusal of refusals) expect(refusal).toEqual(expected(refusal));
    });

    it('the SDK waits for the one under way, and is told what it cost', async () => {
      const slow = { ...body, ...simulate({ firstByteMs: 1500 }) };
      const { result, generation } = await auditedOne(house, customer, async () => {
        const first = client().chat.completions.create(slow, under('k'));
        await expect.poll(async () => (await openHolds()).length, SOON).toBe(1);
        const second = other.client(customer.apiKey, { maxRetries: 5 });
        const error = failure(second.chat.completions.create(slow, under('k')));
        await first;
        return error;
      });
      expect(told(result)).toEqual(used(generation));
    });

    it('of which one is killed, it is free again as soon as the hold is', async () => {
      const hanging = { ...body, stream: true as const, ...simulate({ text: TEXT, tokenMs: 100 }) };
      const { result, generations } = await audited(house, customer, async () => {
        const stream = await client(other).chat.completions.create(hanging, under('k'));
        const reading = collect(stream).catch(() => undefined);
        const refused = await failure(client().chat.completions.create(hanging, under('k')));
        await other.process.stop('SIGKILL');
        await reading;
        await expect.poll(openHolds, { timeout: RELEASED_WITHIN_MS, interval: 50 }).toEqual([]);
        const again = await client().chat.completions.create({ ...hanging, ...simulate({ text: TEXT }) }, under('k'));
        await collect(again);
        return refused;
      });
      expect(told(result)).toMatchObject({ code: 'idempotency_in_progress', retry: 'true' });
      expect(generations.map(({ reason, charged }) => [reason, charged > 0n])).toEqual([
        ['orphaned', false],
        [undefined, true],
      ]);
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PriceVersion } from '../../../src/domain/prices/price-book.ts';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import { healthy, type Health } from '../../../src/proxy/routing/health.ts';
import { plan, type Catalogue, type Lately } from '../../../src/proxy/routing/plan.ts';
import type { Provider } from '../../../src/proxy/providers/provider.ts';
import { unsupported, type BadRequest } from '../../../src/proxy/formats/format.ts';
import { chat, goodJob, price, request } from '../examples.ts';

const priced = (model: string, upstream: string, times = 1n): PriceVersion => {
  const rates = Object.fromEntries(Object.entries(price.rates).map(([name, rate]) => [name, rate * times]));
  return { ...price, model, upstream, upstreamModel: model, rates, lines: linesOf(rates as never) } as PriceVersion;
};

const providerOf = (name: string, why?: BadRequest): Provider => ({
  name,
  unsupported: () => why,
  ask: () => Promise.reject(new Error('not asked')),
  close: () => Promise.resolve(),
});

const names = ['one', 'two', 'three'];
const catalogueOf = (prices: readonly PriceVersion[], more: Partial<Catalogue> = {}): Catalogue => ({
  priceOf: (model) => prices.find((one) => one.model === model),
  delistedSince: () => undefined,
  factsOf: () => ({ sound: undefined }),
  providers: new Map(names.map((name) => [name, providerOf(name)])),
  ...more,
});

/** The model m at one, at the same price at two, and dearer at three. */
const book = [priced('m', 'one'), priced('m@two', 'two'), priced('m@three', 'three', 2n), priced('n', 'two', 3n)];

const planned = (fields: object = {}, catalogue = catalogueOf(book), lately?: Lately) => {
  const result = plan(request(fields), catalogue, lately);
  return result.kind === 'attempts'
    ? result.attempts.map(({ provider, model }) => `${model.model} at ${provider.name}`)
    : result;
};

const cool = (...providers: readonly string[]): Health => ({
  of: (provider, model) => ({ ...healthy.of(provider, model), isCool: providers.includes(provider) }),
});

describe('a plan', () => {
  it('has the providers of the announced price, and leaves out the one that is dearer', () => {
    expect(planned()).toEqual(['m at one', 'm at two']);
  });

  it('charges the announced price, whichever provider answers', () => {
    const result = plan(request(), catalogueOf([priced('m', 'one', 2n), priced('m@two', 'two', 1n)]));
    if (result.kind !== 'attempts') throw new Error(result.kind);
    expect(result.attempts.map(({ model }) => model.rates)).toEqual([1, 2].map(() => priced('m', 'one', 2n).rates));
  });

  it.each<readonly [string, object, readonly string[]]>([
    ['a dearer provider that the request names, at its price', { provider: { only: ['three'] } }, ['m@three at three']],
    ['the order of the request', { provider: { order: ['two'] } }, ['m at two', 'm at one']],
    ['no provider that the request ignores', { provider: { ignore: ['one'] } }, ['m at two']],
    ['one attempt if no other is allowed', { provider: { allow_fallbacks: false } }, ['m at one']],
    ['further models after all providers of the first', { models: ['n'] }, ['m at one', 'm at two', 'n at two']],
    [
      'no model above the maximum price',
      { models: ['n'], provider: { max_price: { prompt: 1 } } },
      ['m at one', 'm at two'],
    ],
    ['the model under the name of its vendor', { model: 'acme/m' }, ['m at one', 'm at two']],
    ['the model under the name of a snapshot', { model: 'm-2026-08-06' }, ['m at one', 'm at two']],
    ['the lowest price first, for :floor', { model: 'm:floor' }, ['m at one', 'm at two']],
    ['no model that is unknown, beside one that is not', { model: 'x', models: ['m'] }, ['m at one', 'm at two']],
  ])('has %s', (_, fields, expected) => expect(planned(fields)).toEqual(expected));

  it('tries a provider that fails last, and does not leave it out', () => {
    expect(planned({}, catalogueOf(book), { health: cool('one') })).toEqual(['m at two', 'm at one']);
    expect(planned({}, catalogueOf(book), { health: cool('one', 'two') })).toEqual(['m at one', 'm at two']);
  });

  it('assumes of a model what is known about it at the provider that is asked', () => {
    const factsOf = ({ model }: PriceVersion) => ({
      reasoning: model === 'm@two' ? ('hidden' as const) : ('none' as const),
    });
    const result = plan(request(), catalogueOf(book, { factsOf }));
    if (result.kind !== 'attempts') throw new Error(result.kind);
    expect(result.attempts.map(({ model }) => model.reasoning)).toEqual(['none', 'hidden']);
  });

  it('stays with the provider of the conversation, unless that fails', () => {
    const preferred = () => 'two';
    expect(planned({}, catalogueOf(book), { health: healthy, preferred })).toEqual(['m at two', 'm at one']);
    expect(planned({}, catalogueOf(book), { health: cool('two'), preferred })).toEqual(['m at one', 'm at two']);
  });

  it('sorts by speed if the request asks for it', () => {
    const speeds: Health = {
      of: (provider) => ({ isCool: false, firstByteMs: provider === 'two' ? 10 : 500, tokensPerSecond: undefined }),
    };
    const wish = { provider: { sort: 'latency' } };
    expect(planned(wish, catalogueOf(book), { health: speeds })).toEqual(['m at two', 'm at one']);
  });

  it('has only providers whose handling of data is known to be as the request demands', () => {
    const policyOf = (provider: string) => (provider === 'two' ? { trains: false, keepsNothing: true } : undefined);
    const catalogue = catalogueOf(book, { policyOf });
    expect(planned({ provider: { data_collection: 'deny' } }, catalogue)).toEqual(['m at two']);
    expect(planned({ provider: { zdr: true } }, catalogue)).toEqual(['m at two']);
    expect(planned({ provider: { zdr: true } })).toMatchObject({ kind: 'unsupported', why: { param: 'provider.zdr' } });
  });

  it('leaves out a provider that cannot carry the request, and refuses with its reason if it is the only one', () => {
    const why = unsupported('seed', 'cannot be carried over.');
    const providers = new Map([
      ['one', providerOf('one', why)],
      ['two', providerOf('two')],
    ]);
    expect(planned({}, catalogueOf(book, { providers }))).toEqual(['m at two']);
    expect(planned({}, catalogueOf(book.slice(0, 1), { providers }))).toEqual({ kind: 'unsupported', why });
  });

  it('refuses fields for routing that it does not know, and values that are invalid', () => {
    for (const [provider, param] of [
      [{ quantizations: ['fp8'] }, 'provider.quantizations'],
      [{ sort: 'taste' }, 'provider.sort'],
      [{ only: 'one' }, 'provider.only'],
      [{ max_price: { prompt: 'x' } }, 'provider.max_price.prompt'],
    ] as const) {
      expect(() => request({ provider })).toThrow(`${param}: `);
    }
  });

  it('does not send the fields for routing to a provider, and keeps every other byte', () => {
    const job = goodJob({ models: ['n'], ...chat, provider: { only: ['one'] } });
    expect(job.body.toString()).toBe(JSON.stringify(chat));
    expect(job.fields).toEqual(chat);
  });

  it('never has a provider twice for a model, more attempts than four, or a price above the announced one', () => {
    const anyWish = fc.record(
      {
        order: fc.subarray(names),
        ignore: fc.subarray(names),
        allow_fallbacks: fc.boolean(),
        sort: fc.constantFrom('price', 'latency', 'throughput'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anyWish, fc.subarray(names), fc.subarray(['n', 'm', 'x']), (provider, cooled, models) => {
        const result = plan(request({ provider, models }), catalogueOf(book), { health: cool(...cooled) });
        if (result.kind !== 'attempts') return;
        const places = result.attempts.map((one) => `${one.model.model} ${one.provider.name}`);
        expect(places.length).toBeLessThanOrEqual(provider.allow_fallbacks === false ? 1 : 4);
        for (const { model, provider: chosen } of result.attempts) {
          expect(provider.ignore ?? []).not.toContain(chosen.name);
          const isNamed = provider.order?.includes(chosen.name) === true;
          if (!isNamed && model.model !== 'n') expect(model.rates).toEqual(priced('m', 'one').rates);
        }
      }),
    );
  });
});

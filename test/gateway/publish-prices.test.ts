import { describe, expect, it } from 'vitest';
import type { CatalogueEntry } from '../../src/config/catalogue.ts';
import { MIN_AHEAD_MS } from '../../src/domain/notice.ts';
import { linesOf } from '../../src/domain/prices/lines.ts';
import { PRICES_STREAM, priceDecider } from '../../src/domain/prices/decide.ts';
import { priceAt, pricesAt } from '../../src/domain/prices/price-book.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { journal, READABLE_VERSIONS } from '../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import type { ReadableVersions } from '../../src/eventstore/event-versions.ts';
import { UNSTATED_VERSIONS } from '../../src/eventstore/journal/unstated-versions.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { announceEnds, publishPrices } from '../../src/gateway/publishing/publish-prices.ts';
import { SOON } from '../support/soon.ts';

const listed = (model: string, endsAt?: string): CatalogueEntry => ({
  model: {
    ...{
      model,
      kind: 'chat',
      ownedBy: 'o',
      upstream: 'u',
      upstreamModel: model,
      contextTokens: 100,
      maxOutputTokens: 9,
    },
    cost: linesOf({ input: 1n, cachedInput: 1n, cacheWrite: 1n, output: 1n, reasoning: 1n }),
    ...{ source: 's', asOf: '2026-01-01' },
  },
  ...(endsAt === undefined ? {} : { endsAt: new Date(endsAt) }),
});

const start = (readable?: () => ReadableVersions) => {
  const store = createInMemoryStore();
  const committer = createCommitter({ store });
  const prices = createCommands({
    store,
    committer,
    codec: journal,
    decider: priceDecider,
    ...(readable ? { readable } : {}),
  });
  const said: string[] = [];
  const log = { warn: (_: unknown, line?: string) => void said.push(line ?? '') };
  const book = async () => (await prices.read(PRICES_STREAM)).state;
  const onSale = async (at = new Date()) => pricesAt(await book(), at).map(({ model }) => model);
  return { prices, log, said, book, onSale, store };
};

const catalogueOf = (...models: CatalogueEntry[]) => models;
/** A start of a gateway with this catalogue. */
const publish = (
  { prices, log }: ReturnType<typeof start>,
  catalogue: readonly CatalogueEntry[],
  { margin = 0n, now = new Date(), costIsReadable = true } = {},
) => publishPrices({ prices, log, catalogue, margin, now, costIsReadable });
const changed = (model: string, change: Partial<CatalogueEntry['model']>): CatalogueEntry => ({
  model: { ...listed(model).model, ...change },
});
const costOf = (output: bigint) => linesOf({ input: 1n, cachedInput: 1n, cacheWrite: 1n, output, reasoning: 1n });

describe('the catalogue at the start', () => {
  it('does not list a model that its provider has ended already', async () => {
    const gateway = start();
    await publish(gateway, [listed('old', '2020-01-01'), listed('new')]);
    expect(await gateway.onSale()).toEqual(['new']);
  });

  it('lists a new model at its cost with the margin, rounded up', async () => {
    const gateway = start();
    await publish(gateway, [changed('a', { cost: costOf(1001n) })], { margin: 125_000n });
    const price = priceAt(await gateway.book(), 'a', new Date());
    expect(price).toMatchObject({ rates: { input: 2n, output: 1127n }, cost: costOf(1001n) });
    expect(gateway.said).toEqual([]);
  });

  it('proposes a change of the price for customers, and lists only what the provider bills', async () => {
    const gateway = start();
    await publish(gateway, [listed('a'), listed('b')]);
    const dearer = changed('a', { cost: costOf(9n), asOf: '2026-02-01', contextTokens: 50 });
    const now = new Date();
    await publish(gateway, [dearer, listed('b')], { now });
    expect(gateway.said).toEqual([
      'catalogue/models.json and PRICE_MARGIN_PERCENT propose other prices for 1 of the listed models. ' +
        'Customers pay the listed prices until you announce the proposals: npm run prices -- proposals',
    ]);
    const [before, after] = [0, MIN_AHEAD_MS].map((ms) => new Date(now.getTime() + ms));
    expect(priceAt(await gateway.book(), 'a', before ?? now)?.version).toBe(1);
    expect(priceAt(await gateway.book(), 'a', after ?? now)).toMatchObject({
      ...{ version: 2, rates: { output: 1n }, cost: costOf(9n), asOf: '2026-02-01', contextTokens: 100 },
    });
    await publish(gateway, [dearer, listed('b')]);
    expect(await gateway.store.head()).toBe(3);
  });

  it('lists a change of facts a minute ahead', async () => {
    const gateway = start();
    await publish(gateway, [listed('a')]);
    await publish(gateway, [changed('a', { contextTokens: 50 })]);
    const after = new Date(Date.now() + MIN_AHEAD_MS);
    expect(priceAt(await gateway.book(), 'a', after)).toMatchObject({ version: 2, contextTokens: 50 });
    expect(gateway.said).toEqual([]);
  });

  it('lists what providers bill only if every gateway that is running can read it', async () => {
    const readable = { ...READABLE_VERSIONS, PriceListed: 1 };
    const gateway = start(() => readable);
    await publish(gateway, [listed('a')], { costIsReadable: false });
    await publish(gateway, [listed('a')], { costIsReadable: false });
    expect(await gateway.store.head()).toBe(1);
    readable.PriceListed = 2;
    await publish(gateway, [listed('a')]);
    await publish(gateway, [listed('a')]);
    expect(await gateway.store.head()).toBe(2);
    expect((await gateway.book()).get('a')?.versions.map(({ cost }) => cost)).toEqual([null, costOf(1n)]);
  });

  it('reports a model that it no longer has, with the command to run, and leaves it on sale', async () => {
    const gateway = start();
    await publish(gateway, [listed('a'), listed('b')]);
    expect(gateway.said).toEqual([]);
    await publish(gateway, [listed('b')]);
    expect(gateway.said).toEqual([
      'a is on sale, but no longer in catalogue/models.json. To take it off sale: npm run delist -- a --reason "…"',
    ]);
    expect(await gateway.onSale()).toEqual(['a', 'b']);
  });

  it('reports a change of a model that is off sale, and does not put it on sale again', async () => {
    const gateway = start();
    await publish(gateway, [listed('a')]);
    const at = new Date();
    const effectiveFrom = new Date(at.getTime() + MIN_AHEAD_MS);
    await gateway.prices.execute(
      PRICES_STREAM,
      { type: 'DelistModel', model: 'a', effectiveFrom, reason: 'test', endedByProvider: true, at },
      { actor: 'test', commandId: 'delist' },
    );
    await publish(gateway, [changed('a', { asOf: '2026-02-01' })]);
    expect(gateway.said).toEqual([expect.stringContaining('npm run relist -- a')]);
    expect(await gateway.onSale(new Date('2998-01-01'))).toEqual([]);
  });
});

describe('an end in the catalogue', () => {
  const catalogue = catalogueOf(listed('a', '2998-01-01'), listed('b'));
  const now = (): Date => new Date();

  it('is announced, and takes effect by itself', async () => {
    const gateway = start();
    const { prices, log, book, onSale } = gateway;
    await publish(gateway, catalogue);
    const ends = announceEnds({ prices, log, catalogue, now });
    await expect.poll(async () => priceAt(await book(), 'a', new Date())?.endsAt, SOON).toEqual(new Date('2998-01-01'));
    expect(await onSale(new Date('2997-12-31T23:59:59.999Z'))).toEqual(['a', 'b']);
    expect(await onSale(new Date('2998-01-01'))).toEqual(['b']);
    ends.close();
  });

  it.each([
    ['14 days or more ahead is announced with notice', 14 * 24 * 3_600_000, false, 14 * 24 * 3_600_000],
    ['less than 14 days ahead is an end by the provider', 13 * 24 * 3_600_000, true, 13 * 24 * 3_600_000],
    ['that has passed takes effect a minute later', -1, true, MIN_AHEAD_MS],
  ])('%s', async (_, aheadMs, endedByProvider, effectMs) => {
    const gateway = start();
    const at = new Date('2026-05-01T00:00:00Z');
    await publish(gateway, [listed('a')]);
    const ending = [listed('a', new Date(at.getTime() + aheadMs).toISOString())];
    const ends = announceEnds({ ...gateway, catalogue: ending, now: () => at });
    const delistings = async () => (await gateway.book()).get('a')?.delistings ?? [];
    await expect.poll(async () => (await delistings()).length, SOON).toBe(1);
    const effectiveFrom = new Date(at.getTime() + effectMs);
    expect(await delistings()).toMatchObject([{ effectiveFrom, endedByProvider }]);
    ends.close();
  });

  it('is announced once, however many nodes start', async () => {
    const gateway = start();
    const { prices, log, store } = gateway;
    await publish(gateway, catalogue);
    const all = [1, 2, 3].map(() => announceEnds({ prices, log, catalogue, now }));
    await expect.poll(() => store.head(), SOON).toBe(3);
    announceEnds({ prices, log, catalogue, now }).close();
    await prices.execute(
      PRICES_STREAM,
      { type: 'RelistModel', model: 'a', at: new Date() },
      { actor: 'test', commandId: 'relist' },
    );
    announceEnds({ prices, log, catalogue, now }).close();
    await prices.read(PRICES_STREAM);
    expect(await store.head()).toBe(4);
    for (const one of all) one.close();
  });

  it('waits until every gateway that is running can read it', async () => {
    const gateway = start(() => UNSTATED_VERSIONS);
    const { prices, log, said, store } = gateway;
    await publish(gateway, catalogue, { costIsReadable: false });
    const ends = announceEnds({ prices, log, catalogue, now });
    await expect.poll(() => said.length, SOON).toBe(1);
    expect(said[0]).toContain('not announced yet');
    expect(await store.head()).toBe(2);
    ends.close();
  });
});

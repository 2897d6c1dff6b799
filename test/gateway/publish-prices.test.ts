import { describe, expect, it } from 'vitest';
import type { CatalogueEntry } from '../../src/config/catalogue.ts';
import { PRICES_STREAM, priceDecider } from '../../src/domain/prices/decide.ts';
import { priceAt, pricesAt } from '../../src/domain/prices/price-book.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
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

describe('the catalogue at the start', () => {
  it('does not list a model that its provider has ended already', async () => {
    const { prices, log, onSale } = start();
    await publishPrices({ prices, log, now: new Date(), catalogue: [listed('old', '2020-01-01'), listed('new')] });
    expect(await onSale()).toEqual(['new']);
  });

  it('reports a model that it no longer has, with the command to run, and leaves it on sale', async () => {
    const { prices, log, said, onSale } = start();
    await publishPrices({ prices, log, now: new Date(), catalogue: [listed('a'), listed('b')] });
    expect(said).toEqual([]);
    await publishPrices({ prices, log, now: new Date(), catalogue: [listed('b')] });
    expect(said).toEqual([
      'a is on sale, but no longer in catalogue/models.json. To take it off sale: npm run delist -- a --reason "…"',
    ]);
    expect(await onSale()).toEqual(['a', 'b']);
  });

  it('reports a change of a model that is off sale, and does not put it on sale again', async () => {
    const { prices, log, said, onSale } = start();
    await publishPrices({ prices, log, now: new Date(), catalogue: [listed('a')] });
    const command = { type: 'DelistModel', model: 'a', effectiveFrom: new Date(), reason: 'test' } as const;
    await prices.execute(PRICES_STREAM, command, { actor: 'test', commandId: 'delist' });
    const { entry } = listed('a');
    await publishPrices({ prices, log, now: new Date(), catalogue: [{ entry: { ...entry, asOf: '2026-02-01' } }] });
    expect(said).toEqual([expect.stringContaining('npm run relist -- a')]);
    expect(await onSale(new Date('2998-01-01'))).toEqual([]);
  });
});

describe('an end in the catalogue', () => {
  const catalogue = [listed('a', '2998-01-01'), listed('b')];

  it('is announced, and takes effect by itself', async () => {
    const { prices, log, book, onSale } = start();
    await publishPrices({ prices, log, now: new Date(), catalogue });
    const ends = announceEnds({ prices, log, catalogue });
    await expect.poll(async () => priceAt(await book(), 'a', new Date())?.endsAt, SOON).toEqual(new Date('2998-01-01'));
    expect(await onSale(new Date('2997-12-31T23:59:59.999Z'))).toEqual(['a', 'b']);
    expect(await onSale(new Date('2998-01-01'))).toEqual(['b']);
    ends.close();
  });

  it('is announced once, however many nodes start', async () => {
    const { prices, log, store } = start();
    await publishPrices({ prices, log, now: new Date(), catalogue });
    const all = [1, 2, 3].map(() => announceEnds({ prices, log, catalogue }));
    await expect.poll(() => store.head(), SOON).toBe(3);
    announceEnds({ prices, log, catalogue }).close();
    await prices.execute(
      PRICES_STREAM,
      { type: 'RelistModel', model: 'a', at: new Date() },
      { actor: 'test', commandId: 'relist' },
    );
    announceEnds({ prices, log, catalogue }).close();
    await prices.read(PRICES_STREAM);
    expect(await store.head()).toBe(4);
    for (const one of all) one.close();
  });

  it('waits until every gateway that is running can read it', async () => {
    const { prices, log, said, store } = start(() => UNSTATED_VERSIONS);
    await publishPrices({ prices, log, now: new Date(), catalogue });
    const ends = announceEnds({ prices, log, catalogue });
    await expect.poll(() => said.length, SOON).toBe(1);
    expect(said[0]).toContain('not announced yet');
    expect(await store.head()).toBe(2);
    ends.close();
  });
});

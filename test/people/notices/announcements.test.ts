import { describe, expect, it } from 'vitest';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import type { PriceCommand } from '../../../src/domain/prices/decide.ts';
import type { PriceEntry } from '../../../src/domain/prices/events.ts';
import { announcementsOf } from '../../../src/people/notices/announcements.ts';
import { createWorld, days, START } from './world.ts';

const entry = (output: bigint): PriceEntry => ({
  ...{ model: 'm/large', kind: 'chat', ownedBy: 'o', upstream: 'u', upstreamModel: 'm', contextTokens: 1000 },
  ...{ maxOutputTokens: 100, cost: null, source: 's', asOf: '2026-12-01' },
  lines: linesOf({ input: 1000n, cachedInput: 1000n, cacheWrite: 1000n, output, reasoning: output }),
});
const list = (output: bigint, inDays: number, at = START): PriceCommand => ({
  ...{ type: 'ListPrice', entry: entry(output), effectiveFrom: days(inDays), at },
});
const delist: PriceCommand = {
  ...{
    type: 'DelistModel',
    model: 'm/large',
    effectiveFrom: days(30),
    reason: 'old',
    endedByProvider: false,
    at: START,
  },
};
const relist: PriceCommand = { type: 'RelistModel', model: 'm/large', at: START };
const withdraw = (version: number): PriceCommand => ({
  ...{ type: 'WithdrawPrice', model: 'm/large', version, reason: 'typo', at: START },
});

/** What the events of the last command announce and withdraw. */
const announcedBy = async (...commands: readonly PriceCommand[]): Promise<readonly string[]> => {
  const world = createWorld();
  let before = 0;
  for (const command of commands) {
    before = (await world.facts()).length;
    expect(await world.price(command)).toMatchObject({ kind: 'accepted' });
  }
  const last = (await world.facts()).slice(before);
  const all = (await Promise.all(last.map((fact) => announcementsOf(world.options, fact)))).flat();
  await world.close();
  return all.map(({ kind, about, audience }) => {
    expect(audience).toEqual({ kind: 'users', model: 'm/large' });
    if (about.kind === 'terms') throw new Error('not of prices');
    return `${kind} ${about.kind} ${about.kind === 'price' ? about.version : (about.effectiveFrom - START.getTime()) / 86_400_000}`;
  });
};

describe('a notice of prices', () => {
  it('is due if a price can cost more', async () =>
    expect(await announcedBy(list(2000n, -1), list(3000n, 20))).toEqual(['announced price 2']));
  it.each([
    ['a new model', [list(2000n, -1)]],
    ['a lower price', [list(2000n, -1), list(1500n, 1)]],
    [
      'a price that is lower than one that was announced before it',
      [list(2000n, -1), list(4000n, 20), list(3000n, 30)],
    ],
    ['the same price', [list(2000n, -1), list(2000n, 20)]],
  ])('is not due for %s', async (_, commands) => expect(await announcedBy(...commands)).toEqual([]));
  it('is withdrawn with the price', async () =>
    expect(await announcedBy(list(2000n, -1), list(3000n, 20), withdraw(2))).toEqual(['withdrawn price 2']));
  it('is due for a later price that can cost more once the price before it is withdrawn', async () =>
    expect(await announcedBy(list(2000n, -1), list(4000n, 20), list(3000n, 30), withdraw(2))).toEqual([
      ...['withdrawn price 2', 'announced price 3'],
    ]));
});

describe('a notice of an end of sale', () => {
  it('is due', async () => expect(await announcedBy(list(2000n, -1), delist)).toEqual(['announced delisting 30']));
  it('is withdrawn if the model stays on sale', async () =>
    expect(await announcedBy(list(2000n, -1), delist, relist)).toEqual(['withdrawn delisting 30']));
  it('is the only one if the model is put on sale again with a price that was announced', async () =>
    expect(await announcedBy(list(2000n, -1), list(3000n, 40), delist, relist)).toEqual(['withdrawn delisting 30']));
});

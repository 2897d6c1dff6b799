import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createContactList } from '../../src/projections/views/contact-list.ts';
import { createKeyOwners } from '../../src/projections/views/key-owners.ts';
import { createOpenMatters } from '../../src/projections/views/open-matters.ts';
import { createOpenPayments } from '../../src/projections/views/open-payments.ts';
import { createPriceList } from '../../src/projections/views/price-list.ts';
import { createTermsList } from '../../src/projections/views/terms-list.ts';

it('the index of looked-up events has every type that the look-ups follow, and no other', () => {
  const folder = new URL('../../src/eventstore/postgres/sql/look-ups/', import.meta.url);
  const newest = readdirSync(folder)
    .filter((name) => name.includes('looked-up'))
    .sort()
    .at(-1);
  const [, index = ''] = readFileSync(new URL(newest ?? '', folder), 'utf8').split('where type in');
  const indexed = [...index.matchAll(/'(\w+)'/g)].map(([, type]) => type);
  const views = [
    ...[createKeyOwners(), createOpenMatters(), createOpenPayments(), createPriceList(), createTermsList()],
    createContactList(),
  ];
  const followed = new Set(views.flatMap(({ types }) => [...(types ?? [])]));
  // An index with other types is not used, and each read of the look-ups would read the whole log.
  expect(indexed.toSorted()).toEqual([...followed].sort());
});

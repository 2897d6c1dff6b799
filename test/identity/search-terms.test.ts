import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Term } from '../../src/identity/search-terms.ts';
import { openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

const words = (...texts: readonly string[]): readonly Term[] => texts.map((text) => ({ field: 'name', text }));

it('a subject is found by all of its terms and by each, and not by one that it lacks', async () => {
  const [id, { one, other }] = [nodes.person(), nodes];
  const person = { kind: 'person', id } as const;
  await one.searchTerms.replace(person, [...words('terms', id, id), { field: 'address', text: `${id}@x.example` }]);
  expect(await other.searchTerms.find(words(id), 10)).toEqual([person]);
  expect(await other.searchTerms.find(words(id, 'terms', id), 10)).toEqual([person]);
  expect(await other.searchTerms.find([{ field: 'address', text: `${id}@x.example` }], 10)).toEqual([person]);
  expect(await other.searchTerms.find(words(id, 'lacking'), 10)).toEqual([]);
  // A word of a name is not an address.
  expect(await other.searchTerms.find([{ field: 'address', text: id }], 10)).toEqual([]);
  expect(await other.searchTerms.find([], 10)).toEqual([]);
});

it('the terms of a subject are replaced as a whole, and those of others stay', async () => {
  const [first, second, { one }] = [nodes.person(), nodes.person(), nodes];
  await one.searchTerms.replace({ kind: 'person', id: first }, words('shared', first));
  await one.searchTerms.replace({ kind: 'account', id: second }, words('shared', second, first));
  await one.searchTerms.replace({ kind: 'person', id: first }, words('new', first));
  expect(await one.searchTerms.find(words('shared', first), 10)).toEqual([{ kind: 'account', id: second }]);
  expect(await one.searchTerms.find(words(first), 1)).toEqual([{ kind: 'person', id: first }]);
  await one.searchTerms.replace({ kind: 'account', id: second }, []);
  expect(await one.searchTerms.find(words(second), 10)).toEqual([]);
});

it('no term is stored as it is', async () => {
  const word = `canary${nodes.person().slice(4)}`;
  await nodes.one.searchTerms.replace({ kind: 'account', id: 'acc_1' }, words(word));
  const dump = await nodes.dump();
  expect(dump).not.toContain(word);
  expect(dump).not.toContain(Buffer.from(word).toString('hex'));
});

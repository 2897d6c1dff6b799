import { describe, expect, it } from 'vitest';
import { GENESIS } from '../../../src/eventstore/integrity/chain.ts';
import { expectedHash } from './expected-hash.ts';
import { createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import type { ChainedEvent } from '../../../src/eventstore/chained-log.ts';
import { anEvent, aStream, slice } from '../logs.ts';

describe('the chain of hashes', () => {
  const anyStored = async (): Promise<ChainedEvent> => {
    const store = createInMemoryStore();
    await store.append([slice(aStream(), -1, anEvent())]);
    const [stored] = await store.readAll(0, 1);
    if (!stored) throw new Error('nothing was stored');
    return stored;
  };

  it.each<[string, (event: ChainedEvent) => Partial<ChainedEvent>]>([
    ['the data', ({ data }) => ({ data: `${data} ` })],
    ['the metadata', ({ metadata }) => ({ metadata: metadata.replace('test', 'tesu') })],
    ['where the data ends', ({ data, metadata }) => ({ data: data.slice(0, -1), metadata: data.slice(-1) + metadata })],
    ['the type', () => ({ type: 'SomethingElse' })],
    ['the version', () => ({ version: 2 })],
    ['the id', () => ({ id: anEvent().id })],
    ['the stream', () => ({ stream: aStream() })],
    ['the revision', () => ({ revision: 1 })],
    ['the position', () => ({ position: 2 })],
    ['the time', ({ time }) => ({ time: new Date(time.getTime() + 1) })],
  ])('changes with %s', async (_, change) => {
    const stored = await anyStored();
    expect(expectedHash(GENESIS, stored)).toBe(stored.hash);
    expect(expectedHash(GENESIS, { ...stored, ...change(stored) })).not.toBe(stored.hash);
  });

  it('changes with the event before', async () => {
    const stored = await anyStored();
    expect(expectedHash('1'.repeat(64), stored)).not.toBe(stored.hash);
  });
});

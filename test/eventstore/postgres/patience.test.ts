import { describe, expect, it } from 'vitest';
import { UnfitDatabase } from '../../../src/eventstore/postgres/database/database-faults.ts';
import { createPatience } from '../../../src/eventstore/postgres/database/patience.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const starting = Object.assign(new Error('the database system is starting up'), { code: '57P03' });

/** A step that fails with these errors, one after another, and then succeeds. */
const failing = async (waitMs: number, ...errors: readonly Error[]) => {
  const said: string[] = [];
  let tries = 0;
  const patiently = createPatience({
    waitMs,
    waiting: (reason) => void said.push(reason),
    answered: () => void said.push('answered'),
  });
  const step = (): Promise<string> => {
    const error = errors[Math.min(tries++, errors.length)];
    return error ? Promise.reject(error) : Promise.resolve('done');
  };
  const end = await patiently(step).catch((error: unknown) => error);
  return { end, tries, said };
};

describe('a step of the start', () => {
  it('is repeated while the database restarts, and the cause is stated', async () => {
    const { end, tries, said } = await failing(10_000, refused, starting);
    expect([end, tries, said]).toEqual(['done', 3, ['connect ECONNREFUSED', 'answered']]);
  });

  it('fails with the error of the database after a bounded time', async () => {
    const { end, said } = await failing(50, ...Array<Error>(1000).fill(starting));
    expect(end).toBe(starting);
    expect(said).toEqual(['the database system is starting up']);
  });

  it.each([
    new UnfitDatabase('A pooler is in between.'),
    Object.assign(new Error('database "x" does not exist'), { code: '3D000' }),
    new TypeError('a fault of ours'),
  ])('fails at once if waiting cannot help: %s', async (error) => {
    expect(await failing(10_000, error)).toEqual({ end: error, tries: 1, said: [] });
  });

  it('that succeeds states nothing', async () => {
    expect(await failing(10_000)).toEqual({ end: 'done', tries: 1, said: [] });
  });
});

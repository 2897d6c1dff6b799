import { describe, expect, it } from 'vitest';
import { gather } from '../../../src/eventstore/postgres/load-batch.ts';
import { numbers } from '../logs.ts';

type Call = { readonly questions: readonly number[]; readonly answer: () => void; readonly fail: () => void };

const asked = (options: { readonly atOnce: number; readonly underWay: number }) => {
  const calls: Call[] = [];
  const ask = gather<number, string>(
    (questions) =>
      new Promise((resolve, reject) =>
        calls.push({
          questions,
          answer: () => resolve(questions.map((n) => `answer ${n}`)),
          fail: () => reject(new Error('no answer')),
        }),
      ),
    options,
  );
  return { ask, calls };
};

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('questions asked together', () => {
  it('share a call, and each has its own answer', async () => {
    const { ask, calls } = asked({ atOnce: 10, underWay: 1 });
    const answers = Promise.all(numbers(0, 5).map(ask));
    await settle();
    expect(calls.map(({ questions }) => questions)).toEqual([[0, 1, 2, 3, 4]]);
    calls[0]?.answer();
    expect(await answers).toEqual(numbers(0, 5).map((n) => `answer ${n}`));
  });

  it('that come while a call is under way form the next', async () => {
    const { ask, calls } = asked({ atOnce: 2, underWay: 1 });
    const first = ask(1);
    await settle();
    const others = Promise.all([ask(2), ask(3), ask(4)]);
    await settle();
    expect(calls).toHaveLength(1);
    calls[0]?.answer();
    await first;
    await settle();
    calls[1]?.answer();
    await settle();
    calls[2]?.answer();
    await others;
    expect(calls.map(({ questions }) => questions)).toEqual([[1], [2, 3], [4]]);
  });

  it('may have several calls under way', async () => {
    const { ask, calls } = asked({ atOnce: 10, underWay: 2 });
    const one = ask(1);
    await settle();
    const two = ask(2);
    await settle();
    expect(calls).toHaveLength(2);
    calls[1]?.answer();
    expect(await two).toBe('answer 2');
    calls[0]?.answer();
    expect(await one).toBe('answer 1');
  });

  it('fail together, and the next ones do not', async () => {
    const { ask, calls } = asked({ atOnce: 10, underWay: 1 });
    const broken = Promise.allSettled([ask(1), ask(2)]);
    await settle();
    calls[0]?.fail();
    expect((await broken).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = ask(3);
    await settle();
    calls[1]?.answer();
    expect(await next).toBe('answer 3');
  });
});

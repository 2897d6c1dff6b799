import { describe, expect, it } from 'vitest';
import { CopyWentBack, LogWentBack, type LogPlace } from '../../../src/eventstore/chained-log.ts';
import type { CopyHead } from '../../../src/eventstore/eventstoredb/copy/copy-head.ts';
import { checkCopy } from '../../../src/eventstore/eventstoredb/copy/copy-reads.ts';

const seen: LogPlace = { position: 9, hash: 'aa' };
const head: LogPlace = { position: 12, hash: 'bb' };

/** A copy whose comparisons have these outcomes, one after the other, and whose head is read at this position. */
const check = (outcomes: readonly ('lacks it' | 'has it')[], position: number): Promise<LogPlace> => {
  const left = [...outcomes];
  const checkHistory = (): Promise<LogPlace> =>
    left.shift() === 'has it' ? Promise.resolve(head) : Promise.reject(new LogWentBack(seen));
  return checkCopy({ checkHistory }, { read: () => Promise.resolve({ position } as CopyHead) });
};

describe('a copy that lacks what was seen of it', () => {
  it('was put back, if its head is before that place', async () => {
    await expect(check(['lacks it'], 5)).rejects.toMatchObject({ name: CopyWentBack.name, position: 5 });
  });

  it('was put back, if it is complete again by the time that its head is read', async () => {
    await expect(check(['lacks it', 'has it'], 12)).rejects.toBeInstanceOf(CopyWentBack);
  });

  it('is another log, if it has grown beyond that place without it', async () => {
    await expect(check(['lacks it', 'lacks it'], 12)).rejects.toBeInstanceOf(LogWentBack);
  });

  it('is the same log if it has the place', async () => {
    await expect(check(['has it'], 12)).resolves.toBe(head);
  });
});

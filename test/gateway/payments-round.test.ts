import { expect, it, vi } from 'vitest';
import { createRound } from '../../src/gateway/payments/round.ts';
import { PartnerFailed } from '../../src/payments/partner.ts';

const MINUTE_MS = 60_000;
const swept = { compared: 0, recorded: 0, unmatched: 0, unreadable: 0 };
const failed = (): Promise<never> => Promise.reject(new PartnerFailed('unreachable', 'no answer'));

const open = () => {
  let ms = 0;
  const lookUpUnpaid = vi.fn(() => Promise.resolve());
  const sweep = vi.fn(() => Promise.resolve(swept));
  const round = createRound({
    payments: { partner: { name: 'creem', isSimulated: false }, lookUpUnpaid, sweep },
    now: () => new Date(ms),
    log: { info: () => undefined, warn: () => undefined },
    leads: () => true,
  });
  return { round, lookUpUnpaid, sweep, wait: (forMs: number): void => void (ms += forMs) };
};

it('sweeps once a day, and again ten minutes after a sweep that failed', async () => {
  const { round, sweep, wait } = open();
  sweep.mockImplementationOnce(failed);
  await round();
  wait(9 * MINUTE_MS);
  await round();
  expect(sweep).toHaveBeenCalledTimes(1);
  wait(MINUTE_MS);
  await round();
  expect(sweep).toHaveBeenCalledTimes(2);
  wait(24 * 60 * MINUTE_MS - 1);
  await round();
  expect(sweep).toHaveBeenCalledTimes(2);
  wait(1);
  await round();
  expect(sweep).toHaveBeenCalledTimes(3);
});

it('sweeps although look-ups fail', async () => {
  const { round, lookUpUnpaid, sweep } = open();
  lookUpUnpaid.mockImplementation(failed);
  await round();
  expect(sweep).toHaveBeenCalledTimes(1);
});

import { expect } from 'vitest';
import { moveLogClockForward, type ClockReading } from '../../src/eventstore/postgres/log-clock.ts';
import { SOON } from './soon.ts';

export const HOUR_MS = 60 * 60_000;
export const DAY_MS = 24 * HOUR_MS;

/** How far the clock is ahead of real time by which a gateway decides; undefined if it was never moved. */
export const movedMsOf = async ({ url }: { readonly url: string }): Promise<number | undefined> => {
  const response = await fetch(`${url}/health/ready`);
  const { checks } = (await response.json()) as { readonly checks: { readonly clock: { readonly moved_ms?: number } } };
  return checks.clock.moved_ms;
};

/** Moves the clock of a log forward, and waits until these gateways decide by it. */
export const forward = async (
  databaseUrl: string,
  byMs: number,
  gateways: readonly { readonly url: string }[],
): Promise<ClockReading> => {
  const reading = await moveLogClockForward(databaseUrl, byMs);
  for (const gateway of gateways) await expect.poll(() => movedMsOf(gateway), SOON).toBe(reading.movedMs);
  return reading;
};

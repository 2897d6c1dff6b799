import { describe, expect, it } from 'vitest';
import { createHealth } from '../../../src/proxy/routing/health.ts';

const open = () => {
  let now = 1000;
  const health = createHealth(() => now);
  const failed = (times = 1, retryAfterMs?: number): void => {
    for (let n = 0; n < times; n++) health.record('p', 'm', { kind: 'failed', retryAfterMs });
  };
  const answered = (times = 1, firstByteMs = 100): void => {
    for (let n = 0; n < times; n++) health.record('p', 'm', { kind: 'answered', firstByteMs });
  };
  return {
    ...{ health, failed, answered },
    isCool: () => health.of('p', 'm').isCool,
    after: (ms: number) => void (now += ms),
  };
};

describe('the health of a provider', () => {
  it('is good without requests, and of one model only', () => {
    const { health, failed } = open();
    expect(health.of('p', 'm').isCool).toBe(false);
    failed(5);
    expect(health.of('p', 'other').isCool).toBe(false);
  });

  it('cools after five failures in half a minute', () => {
    const { failed, isCool, after } = open();
    failed(4);
    expect(isCool()).toBe(false);
    after(40_000);
    failed(4);
    expect(isCool()).toBe(false);
    failed();
    expect(isCool()).toBe(true);
  });

  it('cools after a fifth of at least ten requests failed', () => {
    const { failed, answered, isCool } = open();
    failed(2);
    answered(5);
    failed();
    expect(isCool()).toBe(false);
    answered(4);
    failed();
    expect(isCool()).toBe(true);
  });

  it('cools for as long as the provider asks to wait, up to five minutes', () => {
    const { failed, isCool, after } = open();
    failed(1, 3_600_000);
    after(299_000);
    expect(isCool()).toBe(true);
    after(2000);
    expect(isCool()).toBe(false);
  });

  it('cools again at the first failure after a time of cooling, and not after an answer', () => {
    const { failed, answered, isCool, after } = open();
    failed(5);
    after(31_000);
    expect(isCool()).toBe(false);
    failed();
    expect(isCool()).toBe(true);
    after(31_000);
    answered();
    failed();
    expect(isCool()).toBe(false);
  });

  it('has the median time to the first byte', () => {
    const { health, answered } = open();
    answered(3, 100);
    answered(2, 900);
    expect(health.of('p', 'm').firstByteMs).toBe(100);
  });
});

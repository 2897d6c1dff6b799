import { describe, expect, it } from 'vitest';
import { cutEvents, eventsOfWhole } from '../../../src/proxy/engine/stream-closing.ts';
import type { Call } from '../../../src/proxy/engine/call.ts';
import { createStreamMeter } from '../../../src/proxy/metering/meter.ts';
import { chunk, request, sse } from '../examples.ts';

describe('the end of a stream that was cut', () => {
  it('goes through what was said once, however many choices there are to end', () => {
    const meter = createStreamMeter();
    meter.feed(Buffer.from(sse(chunk({}, { choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] }))));
    let looks = 0;
    const watched = {
      ...meter,
      finished: meter.finished,
      metered: () => {
        looks++;
        return meter.metered();
      },
    };
    const facts = { generationId: 'gen-1', askedAt: new Date(0), cancelled: 'beyond_limit' } as const;
    const call = { ...facts, request: request({ stream: true, n: 128 }) } as Partial<Call> as Call;
    const events = cutEvents(call, watched).trimEnd().split('\n\n');
    const indices = events.map((event) => {
      const { choices } = JSON.parse(event.slice('data: '.length)) as { choices: readonly { index: number }[] };
      return choices[0]?.index;
    });
    expect(indices).toEqual([0, ...Array.from({ length: 126 }, (_, n) => n + 2)]);
    expect(looks).toBe(1);
  });
});

describe('an answer that came whole, as a stream', () => {
  it('has the cost with all its decimals, which a float does not have', () => {
    const call = {
      request: request({ stream: true, stream_options: { include_usage: true } }),
    } as Partial<Call> as Call;
    for (const usd of ['0.000000001', '12345678.123456789']) {
      const body = `{"choices":[],"system_fingerprint":null,"usage":{"cost":${usd},"cost_usd":"${usd}"}}`;
      expect(eventsOfWhole(call, body)).toContain(`"usage":{"cost":${usd},"cost_usd":"${usd}"}`);
      expect(eventsOfWhole(call, body)).not.toContain('null');
    }
  });
});

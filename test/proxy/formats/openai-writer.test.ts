import { describe, expect, it } from 'vitest';
import { chat } from '../../../src/proxy/formats/chat/chat.ts';
import type { Frame } from '../../../src/proxy/formats/format.ts';
import { request } from '../examples.ts';

const frame: Frame = { id: 'gen-1', model: 'm', createdAt: new Date(0) };

describe('the end of a stream that was cut', () => {
  it('ends each choice that has not ended, with the reason beside the format', () => {
    const notice = { generationId: 'gen-1', error: { code: 'x' } };
    const events = chat.stream?.open(request()).writeCut(frame, [0, 2], notice).trimEnd().split('\n\n');
    expect(events?.map((event) => JSON.parse(event.slice('data: '.length)) as unknown)).toMatchObject(
      [0, 2].map((index) => ({
        choices: [{ index, delta: {}, finish_reason: 'length' }],
        kissapi: { generation_id: 'gen-1', error: { code: 'x' } },
      })),
    );
  });
});

describe('a whole answer, as a stream', () => {
  it('has the cost with all its decimals, which a float does not have', () => {
    for (const usd of ['0.000000001', '12345678.123456789']) {
      const body = `{"choices":[],"system_fingerprint":null,"usage":{"cost":${usd},"cost_usd":"${usd}"}}`;
      expect(chat.stream?.fromAnswer(body, true)).toContain(`"usage":{"cost":${usd},"cost_usd":"${usd}"}`);
      expect(chat.stream?.fromAnswer(body, true)).not.toContain('null');
    }
  });
});

import { createAnthropicProvider } from '../../../../src/proxy/providers/anthropic/anthropic.ts';
import type { Provider } from '../../../../src/proxy/providers/provider.ts';
import { afterAll, beforeAll } from 'vitest';
import {
  createScriptedUpstream,
  says,
  type Script,
  type ScriptedUpstream,
} from '../../../support/scripted-upstream.ts';

/** Events of a Messages stream in Anthropic's wire shape. */
export const events = (...all: readonly { readonly type: string }[]): string =>
  all.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

export const usage = {
  ...{ input_tokens: 9, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
  ...{ cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 } },
  ...{ service_tier: 'standard', inference_geo: 'global' },
};

export const message = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', content: [] as object[] },
  ...{ stop_reason: null as string | null, stop_sequence: null, usage },
};

export const start = { type: 'message_start', message };
export const ping = { type: 'ping' };
export const opens = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
export const adds = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta });
export const closes = (index: number) => ({ type: 'content_block_stop', index });
export const ends = (stop_reason: string, reported: object = { output_tokens: 3 }, more: object = {}) => ({
  ...{ type: 'message_delta', delta: { stop_reason, stop_sequence: null, ...more }, usage: reported },
});
export const stop = { type: 'message_stop' };

export const text = (index: number, ...texts: readonly string[]) => [
  opens(index, { type: 'text', text: '' }),
  ...texts.map((one) => adds(index, { type: 'text_delta', text: one })),
  closes(index),
];

export const streamed = (...all: readonly { readonly type: string }[]): Script =>
  says(events(...all), { contentType: 'text/event-stream; charset=utf-8' });

export const whole = (more: object = {}): Script => says(JSON.stringify({ ...message, ...more }));

export const isStream = (body: string): boolean => (JSON.parse(body) as { stream?: boolean }).stream === true;

export const refuses = (status: number, type: string, text: string, headers = {}): Script =>
  says(JSON.stringify({ type: 'error', error: { type, message: text }, request_id: 'req_1' }), { status, headers });

export const providerAt = (url: string): Provider =>
  createAnthropicProvider({
    ...{ name: 'test', baseUrl: url, apiKey: 'sk-ant-1', firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
  });

const nothing = (): void => undefined;
export const watch = { heard: nothing, pause: nothing, expectEnd: nothing, isWanted: true };

/** A scripted server and a provider at it, for all tests of a file. */
export const useAnthropic = () => {
  const opened: { server?: ScriptedUpstream; provider?: Provider } = {};
  beforeAll(async () => {
    opened.server = await createScriptedUpstream();
    opened.provider = providerAt(opened.server.url);
  });
  afterAll(async () => {
    await opened.provider?.close();
    await opened.server?.close();
  });
  return opened as Required<typeof opened>;
};

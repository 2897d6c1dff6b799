import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { createAnthropicWire } from '../../../src/proxy/providers/anthropic/wire.ts';
import { createGeminiWire } from '../../../src/proxy/providers/gemini/gemini.ts';
import type { Transport } from '../../../src/proxy/providers/http/transport.ts';
import { ProviderFailed, type Provider } from '../../../src/proxy/providers/provider.ts';
import { bodyOf, createTestProvider } from '../examples.ts';
import { clientOf } from '../formats/messages/client.ts';
import { png } from '../media/media.ts';

const asked: Anthropic.MessageCountTokensParams = {
  model: 'm',
  system: 'Be very brief.',
  messages: [{ role: 'user', content: 'How are you?' }],
};
const silent = createTestProvider(() => Promise.reject(new Error('nothing is asked')));

/** Anthropic's client of a gateway with this provider. Nothing may be held. */
const count = async (provider: Provider, more: object = {}): Promise<number> => {
  const { anthropic, account } = clientOf(provider);
  const { input_tokens } = await anthropic.messages.countTokens({ ...asked, ...more });
  expect(account.events).toEqual([]);
  return input_tokens;
};

const answering = (answer: string, status = 200): Transport & { readonly sent: string[] } => {
  const sent: string[] = [];
  return {
    sent,
    send: ({ endpoint, body }) => {
      sent.push(endpoint, Buffer.from(body).toString());
      return Promise.resolve({ status, contentType: 'application/json', body: bodyOf([answer]) });
    },
    close: () => Promise.resolve(),
  };
};

describe('a count of input tokens', () => {
  it('is that of Anthropic, with the name that it has for the model', async () => {
    const transport = answering('{"input_tokens":21}');
    expect(await count(createAnthropicWire('test', transport))).toBe(21);
    expect(transport.sent[0]).toBe('/messages/count_tokens');
    expect(JSON.parse(transport.sent[1] ?? '')).toEqual({ ...asked, model: 'gpt-4o' });
  });

  it('is that of Google, of the translated request', async () => {
    const transport = answering('{"totalTokens":22}');
    expect(await count(createGeminiWire('test', transport))).toBe(22);
    expect(transport.sent[0]).toBe('/models/gpt-4o:countTokens');
  });

  it("is the gateway's own of all texts if the provider has none, or if it fails", async () => {
    expect(await count(silent)).toBe(6);
    const failing = { ...silent, countTokens: () => Promise.reject(new ProviderFailed('connect', 'down')) };
    expect(await count(failing)).toBe(6);
    const { sent: _, ...busy } = answering('{"error":{"message":"busy"}}', 529);
    expect(await count(createAnthropicWire('test', busy))).toBe(6);
  });

  it('has the least that a picture costs', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: png(512, 512).toString('base64') };
    const content = [{ type: 'image', source }];
    expect(await count(silent, { messages: [{ role: 'user', content }] })).toBeGreaterThan(50);
  });

  it('fails as the request would: if the provider refuses it, for an unknown model, or for a body that is not valid', async () => {
    const refusing = answering('{"error":{"type":"invalid_request_error","message":"tools.0: bad"}}', 400);
    await expect(count(createAnthropicWire('test', refusing))).rejects.toThrow('tools.0: bad');
    await expect(count(silent, { messages: [] })).rejects.toThrow('messages');
    await expect(count(silent, { container: 'c' })).rejects.toThrow('container');
  });
});

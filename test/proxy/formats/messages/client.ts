import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Provider } from '../../../../src/proxy/providers/provider.ts';
import { KEY_ID, openAccount, type TestAccount } from '../../engine/account.ts';
import { engineOf as completionsOf } from '../../engine/engine-of.ts';
import { sinkOf } from '../../examples.ts';

let calls = 0;
const nextAsked = () => ({
  uuid: `0198f3c2-7b1e-7c3a-9d52-${String(calls++).padStart(12, '0')}`,
  ...{ accountId: 'acc_1', keyId: KEY_ID },
});

/** Anthropic's client on the engine itself, without HTTP. A problem is an error of status 400 with its code as the type. */
export const clientOf = (provider: Provider): { readonly anthropic: Anthropic; readonly account: TestAccount } => {
  const { fetch, account } = engineOf(provider, '/messages');
  return {
    anthropic: new Anthropic({ apiKey: 'sk-test', baseURL: 'http://gateway.test', maxRetries: 0, fetch }),
    account,
  };
};

/** OpenAI's client for chats, likewise. */
export const openAiClientOf = (provider: Provider): { readonly openai: OpenAI; readonly account: TestAccount } => {
  const { fetch, account } = engineOf(provider, '/chat/completions');
  return { openai: new OpenAI({ apiKey: 'sk-test', baseURL: 'http://gateway.test', maxRetries: 0, fetch }), account };
};

const engineOf = (provider: Provider, endpoint: string, credits = 1_000_000_000n) => {
  const account = openAccount(credits);
  const completions = completionsOf(account, { test: provider });
  const refuse = (problem: { readonly kind: string }): Response => {
    const error = { type: problem.kind, message: JSON.stringify(problem) };
    return Response.json({ type: 'error', error }, { status: 400 });
  };
  const count = async (body: Buffer, gone: AbortSignal): Promise<Response> => {
    const counted = await completions.countTokens({ ...nextAsked(), endpoint, body, gone });
    return counted.kind === 'problem' ? refuse(counted.problem) : Response.json({ input_tokens: counted.inputTokens });
  };
  const answer = async (body: Buffer, gone: AbortSignal): Promise<Response> => {
    const answered = await completions.complete({
      ...nextAsked(),
      ...{ endpoint, body, gone },
    });
    if (answered.kind === 'problem') return refuse(answered.problem);
    if (answered.kind === 'whole')
      return new Response(answered.body, { headers: { 'content-type': 'application/json' } });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const write = async (passing: Uint8Array | string): Promise<void> => writer.write(Buffer.from(passing));
    const sink = sinkOf(write);
    const failing = {
      ...sink,
      fail: (why: unknown, as = String) => write(as(JSON.stringify({ type: 'error', error: why }))),
    };
    void answered.relay(failing).finally(() => writer.close().catch(() => undefined));
    return new Response(readable, { headers: { 'content-type': 'text/event-stream' } });
  };
  const fetch = (url: unknown, init?: { readonly body?: unknown; readonly signal?: AbortSignal | null }) =>
    (String(url).endsWith('/count_tokens') ? count : answer)(
      Buffer.from(String(init?.body)),
      init?.signal ?? new AbortController().signal,
    );
  return { fetch, account };
};

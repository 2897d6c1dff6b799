import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { formats } from '../../../../src/gateway/providers.ts';
import { createCompletions } from '../../../../src/proxy/engine/completions.ts';
import type { Provider } from '../../../../src/proxy/providers/provider.ts';
import { KEY_ID, openAccount, type TestAccount } from '../../engine/account.ts';
import { countWords, like, price, sinkOf } from '../../examples.ts';

let calls = 0;

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
  const completions = createCompletions({
    ...{ formats, providers: new Map([['test', provider]]), findPrice: () => ({ ...price, ...like('gpt-4o') }) },
    ...{ execute: account.execute, recordedBy: () => Promise.resolve(undefined), idempotencySecret: 's' },
    ...{ promptTokens: countWords, tokens: countWords, runId: () => 'run', now: () => new Date(0) },
    ...{ idleTimeoutMs: 60_000, upstreamRefused: () => undefined, isPaused: () => false },
    logCopy: { isRecent: () => true, confirm: () => Promise.resolve(true) },
  });
  const refuse = (problem: { readonly kind: string }): Response => {
    const error = { type: problem.kind, message: JSON.stringify(problem) };
    return Response.json({ type: 'error', error }, { status: 400 });
  };
  const count = async (body: Buffer, gone: AbortSignal): Promise<Response> => {
    const counted = await completions.countTokens({ endpoint, body, gone });
    return counted.kind === 'problem' ? refuse(counted.problem) : Response.json({ input_tokens: counted.inputTokens });
  };
  const answer = async (body: Buffer, gone: AbortSignal): Promise<Response> => {
    const uuid = `0198f3c2-7b1e-7c3a-9d52-${String(calls++).padStart(12, '0')}`;
    const answered = await completions.complete({
      ...{ uuid, accountId: 'acc_1', keyId: KEY_ID, endpoint, body, gone },
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

import type { Knobs } from '@kissapi/simulator';
import { send, type Sent } from './requests.ts';

export * from './requests.ts';

export type Wish = {
  readonly simulate?: Knobs;
  readonly content?: string;
  readonly maxTokens?: number;
  readonly stream?: boolean;
  readonly more?: Readonly<Record<string, unknown>>;
};

export const chatBody = ({ simulate = {}, content = 'Hello', maxTokens, stream, more = {} }: Wish = {}) => ({
  model: 'simulated-chat',
  messages: [{ role: 'user', content }],
  simulate,
  ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  ...(stream === true ? { stream, stream_options: { include_usage: true } } : {}),
  ...more,
});

export const chat = (gateway: { readonly url: string }, apiKey: string, wish: Wish = {}): Sent =>
  send(gateway, apiKey, '/chat/completions', chatBody(wish));

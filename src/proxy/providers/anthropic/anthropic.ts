import { createHttpTransport, type HttpOptions } from '../http/http-transport.ts';
import type { Provider } from '../provider.ts';
import { createAnthropicWire } from './wire.ts';

export type AnthropicProviderOptions = Pick<
  HttpOptions,
  'baseUrl' | 'apiKey' | 'firstByteTimeoutMs' | 'idleTimeoutMs'
> & {
  readonly name: string;
};

/** Any server with Anthropic's Messages, over HTTP. */
export const createAnthropicProvider = ({ name, ...http }: AnthropicProviderOptions): Provider =>
  createAnthropicWire(
    name,
    createHttpTransport({ ...http, keyHeader: 'x-api-key', headers: { 'anthropic-version': '2023-06-01' } }),
  );

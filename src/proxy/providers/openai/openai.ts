import type { Provider } from '../provider.ts';
import { dialects, type Dialect } from './dialects.ts';
import { createHttpTransport, type HttpOptions } from '../http/http-transport.ts';
import { createOpenAiWire } from './wire.ts';

export type OpenAiProviderOptions = HttpOptions & {
  readonly name: string;
} & Pick<Dialect, 'outputLimitField' | 'responses'>;

/** Any server with OpenAI's wire format, over HTTP. */
export const createOpenAiProvider = ({ name, outputLimitField, responses, ...http }: OpenAiProviderOptions): Provider =>
  createOpenAiWire(name, createHttpTransport(http), { ...dialects[name], outputLimitField, responses });

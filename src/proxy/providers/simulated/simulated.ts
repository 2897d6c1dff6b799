import { ConnectionFault, createSimulator } from '@kissapi/simulator';
import type { Transport } from '../http/transport.ts';
import { dialects } from '../openai/dialects.ts';
import { createOpenAiWire } from '../openai/wire.ts';
import { ProviderFailed, type Provider } from '../provider.ts';

/** The simulated provider of `@kissapi/simulator`, in process. */
export const createSimulatedProvider = (): Provider =>
  createOpenAiWire('simulated', createSimulatedTransport(), {
    ...dialects['simulated'],
    outputLimitField: 'max_tokens',
  });

export const createSimulatedTransport = (): Transport =>
  createSimulator({
    mapError: (error) =>
      error instanceof ConnectionFault ? new ProviderFailed(error.code, error.message, { cause: error }) : error,
  });

import { ConnectionFault, createSimulator } from '@kissapi/simulator';
import { UpstreamFailed, type Upstream } from '../provider.ts';

/** The simulated provider of `@kissapi/simulator`, in process. */
export const createSimulatedUpstream = (): Upstream => ({
  name: 'simulated',
  outputLimitField: 'max_tokens',
  ...createSimulator({
    mapError: (error) =>
      error instanceof ConnectionFault ? new UpstreamFailed(error.code, error.message, { cause: error }) : error,
  }),
});

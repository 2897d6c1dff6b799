import { createSimulatedProvider } from '../../../../src/proxy/providers/simulated/simulated.ts';
import { describeProvider, type Scenario } from '../provider.contract.ts';

const text = 'one two three';
const knobs: Record<Scenario, object> = {
  answers: { text },
  'refuses the request': { status: 400 },
  'refuses our key': { status: 401 },
  'is overloaded': { status: 429, retryAfter: 2 },
  'breaks before the response': { resetBeforeHead: true },
  'breaks within the answer': { text, breakAfter: 1 },
  'hangs within the answer': { text, hang: 'midStream' },
};

describeProvider('simulated', () =>
  Promise.resolve({
    provider: createSimulatedProvider(),
    play: (scenario) => ({ simulate: knobs[scenario] }),
    close: () => Promise.resolve(),
  }),
);

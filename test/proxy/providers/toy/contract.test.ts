import { describeProvider, type Scenario } from '../provider.contract.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { createToyProvider, type Line, type ToyServer } from './toy.ts';

const lines: readonly Line[] = [
  ['say', 'one '],
  ['say', 'two '],
  ['say', 'three'],
  ['end', 'stop'],
  ['count', 9, 3],
];

async function* answering(count: number, then?: () => Promise<never>): AsyncGenerator<Line> {
  yield* lines.slice(0, count);
  await then?.();
}

const breaks = (): Promise<never> => Promise.reject(new ProviderFailed('reset', 'the connection broke'));
const hangs = (signal: AbortSignal) => (): Promise<never> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });

const servers: Record<Scenario, ToyServer> = {
  answers: () => answering(lines.length),
  'refuses the request': () => ({ no: 'request' }),
  'refuses our key': () => ({ no: 'key' }),
  'is overloaded': () => ({ no: 'busy' }),
  'breaks before the response': () => {
    throw new ProviderFailed('reset', 'no connection');
  },
  'breaks within the answer': () => answering(1, breaks),
  'hangs within the answer': (_, signal) => answering(1, hangs(signal)),
};

describeProvider('with a wire format of its own', () => {
  let server = servers.answers;
  return Promise.resolve({
    provider: createToyProvider((...asked) => server(...asked)),
    play: (scenario) => {
      server = servers[scenario];
      return {};
    },
    close: () => Promise.resolve(),
  });
});

import { inspect, INSPECTABLE } from './inspector.ts';
import { sharesOf, type CpuProfile, type Shares } from '../support/cpu-profile.ts';
import type { Stage } from '../support/stage.ts';
import { type Store } from '../support/stores.ts';
import { line, print } from '../support/table.ts';
import { startGateway, type Target } from '../support/targets.ts';
import { load } from './throughput.ts';

const TOP = 25;
const SAMPLE_EVERY_US = 250;
/** The script of the gateway's thread that writes the rows. */
const ROWS_THREAD = 'src/projections/rows/rows-worker.ts';
const JSON_FRAMES = new URL('json-frames.ts', import.meta.url).href;

const printShares = ({ totalMs, functions, groups }: Shares, requests: number): void => {
  const cells = (ms: number): string[] => [
    `${((ms / totalMs) * 100).toFixed(1)} %`,
    ((ms * 1000) / requests).toFixed(1),
  ];
  line(['', 'of the time', 'µs/request']);
  for (const { name, ms } of groups) line([name, ...cells(ms)]);
  print();
  line(['', 'of the time', 'µs/request']);
  for (const { name, module, ms } of functions.slice(0, TOP)) line([name.slice(0, 38), ...cells(ms), `   ${module}`]);
};

type ProfileOptions = {
  readonly connections: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly store: Store;
};

/** Where a gateway spends its time, at this number of connections: its main thread by function, the thread that writes the rows in total. */
export const profile = async (
  stage: Stage,
  upstream: Target,
  { connections, seconds, tokens, store }: ProfileOptions,
): Promise<void> => {
  const gateway = await startGateway(stage, upstream, store, {
    NODE_OPTIONS: `${INSPECTABLE.NODE_OPTIONS} --import=${JSON_FRAMES}`,
  });
  const inspector = await inspect(gateway.process);
  try {
    const askRows = await inspector.askThread(ROWS_THREAD);
    const threads = [inspector.ask, ...(askRows ? [askRows] : [])];
    for (const ask of threads) {
      await ask('Profiler.enable');
      await ask('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    }
    for (const stream of [false, true]) {
      await load(gateway, stream, connections, 3, tokens); // Warm-up.
      for (const ask of threads) await ask('Profiler.start');
      const { perSecond } = await load(gateway, stream, connections, seconds, tokens);
      const [main, rows] = await Promise.all(
        threads.map(async (ask) => sharesOf((await ask<{ profile: CpuProfile }>('Profiler.stop')).profile)),
      );
      const rate = `${perSecond.toFixed(0)} requests/s while it was profiled`;
      print(`\nprofile of the ${gateway.name}, ${stream ? 'streamed' : 'whole'}, ${connections} connections: ${rate}`);
      print('Main thread only.');
      if (rows) print(describeRows(rows, perSecond * seconds));
      if (main) printShares(main, perSecond * seconds);
    }
  } finally {
    // A process does not end while an inspector is connected.
    inspector.close();
  }
  await gateway.process.stop();
};

/** Requests do not wait for this thread, but its work is part of their cost. */
const describeRows = ({ totalMs, groups }: Shares, requests: number): string => {
  const busyMs = totalMs - (groups.find(({ name }) => name === 'idle')?.ms ?? 0);
  const busy = `${((busyMs / totalMs) * 100).toFixed(1)} % of the time, ${((busyMs * 1000) / requests).toFixed(1)} µs/request`;
  return `The thread that writes the rows was busy for ${busy}.`;
};

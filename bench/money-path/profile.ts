import { fileURLToPath } from 'node:url';
import { inspect, INSPECTABLE } from './inspector.ts';
import type { Stage } from '../support/stage.ts';
import { line, print } from '../support/table.ts';
import { startGateway, type Target } from '../support/targets.ts';
import { load } from './throughput.ts';

/** V8's CPU profile. */
type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds between each sample and the one before it. */
  readonly timeDeltas: readonly number[];
};

type Share = { readonly name: string; readonly module: string; readonly ms: number };
type Shares = {
  readonly totalMs: number;
  readonly functions: readonly Share[];
  readonly groups: readonly Share[];
};

/** The room of src, package or part of Node that a module belongs to; the first match counts. */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ['JSON', /^bench\/json-frames/],
  ['eventstore, pg', /^(src\/eventstore|pg[/-])/],
  ['projections, pg-promise, rxjs', /^(src\/projections|rxjs\/|pg-promise\/)/],
  ['domain', /^src\/domain/],
  ['undici', /^undici\//],
  ['proxy', /^(src\/proxy|eventsource-parser\/)/],
  ['express, http', /^(src\/http|express\/|router\/|body-parser\/|raw-body\/|node:_http|node:internal\/http)/],
  ['zod', /^zod\//],
  ['rest of src', /^src\//],
  ['node: sockets', /^node:(net|internal\/(net|stream_base_commons))/],
  [
    'node: streams, events, buffers',
    /^node:(internal\/(streams|webstreams|buffer)|buffer|events|stream|string_decoder)/,
  ],
  ['node: crypto', /^node:(crypto|internal\/crypto)/],
  ['node: abort signals', /^node:internal\/(abort_controller|event_target)/],
  ['node: timers, ticks, promises', /^node:(timers|internal\/(timers|process|async|promise|linkedlist|priority))/],
  ['node: the rest', /^node:/],
];
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['(idle)', 'idle'],
  ['(garbage collector)', 'gc'],
  ['(program)', 'native, no JavaScript'],
]);

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const moduleOf = (url: string): string => {
  const path = url.replace(/^file:\/\//, '');
  const inPackage = path.lastIndexOf('/node_modules/');
  if (inPackage >= 0) return path.slice(inPackage + '/node_modules/'.length);
  return path.startsWith(PROJECT) ? path.slice(PROJECT.length) : path;
};

/**
 * Self time by function and by group. A function without a module (Node's C++ functions) belongs to the group of its nearest
 * caller that has a module.
 */
const sharesOf = ({ nodes, samples, timeDeltas }: CpuProfile): Shares => {
  const selfUs = new Map<number, number>();
  samples.forEach((id, at) => selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[at + 1] ?? 0)));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const callerModule = (id: number): string => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const url = frames.get(at)?.url ?? '';
      if (url !== '') return moduleOf(url);
    }
    return '';
  };

  const functions = new Map<string, Share>();
  const groups = new Map<string, Share>();
  const add = (to: Map<string, Share>, name: string, module: string, us: number): void => {
    const key = `${name} ${module}`;
    to.set(key, { name, module, ms: (to.get(key)?.ms ?? 0) + us / 1000 });
  };
  for (const [id, us] of selfUs) {
    const { functionName = '', url = '', lineNumber = 0 } = frames.get(id) ?? {};
    const module = callerModule(id);
    const special = SPECIAL.get(functionName);
    if (special !== undefined) {
      add(functions, functionName, '', us);
      add(groups, special, '', us);
      continue;
    }
    add(
      functions,
      functionName || '(anonymous)',
      url === '' ? `native, for ${module}` : `${module}:${lineNumber + 1}`,
      us,
    );
    add(groups, GROUPS.find(([, pattern]) => pattern.test(module))?.[0] ?? 'other', '', us);
  }
  const bySize = (shares: Map<string, Share>): Share[] => [...shares.values()].toSorted((a, b) => b.ms - a.ms);
  const totalMs = [...selfUs.values()].reduce((sum, us) => sum + us, 0) / 1000;
  return { totalMs, functions: bySize(functions), groups: bySize(groups) };
};

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

type ProfileOptions = { readonly connections: number; readonly seconds: number; readonly tokens: number };

/** Where a gateway spends its time, at this number of connections: its main thread by function, the thread that writes the rows in total. */
export const profile = async (
  stage: Stage,
  upstream: Target,
  { connections, seconds, tokens }: ProfileOptions,
): Promise<void> => {
  const gateway = await startGateway(stage, upstream, {
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
      print(`\nprofile of the gateway, ${stream ? 'streamed' : 'whole'}, ${connections} connections: ${rate}`);
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

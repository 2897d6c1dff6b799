import { fileURLToPath } from 'node:url';

/** V8's CPU profile. */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds between each sample and the one before it. */
  readonly timeDeltas: readonly number[];
};

export type Share = { readonly name: string; readonly module: string; readonly ms: number };
export type Shares = {
  readonly totalMs: number;
  readonly functions: readonly Share[];
  readonly groups: readonly Share[];
};

/** The room of src, package or part of Node that a module belongs to; the first match counts. */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ['JSON', /^bench\/json-frames/],
  ['eventstore/eventstoredb', /^src\/eventstore\/eventstoredb/],
  ['client of EventStoreDB', /^@eventstore\//],
  ['protocol buffers', /^google-protobuf\//],
  ['gRPC', /^@grpc\//],
  ['eventstore, pg', /^(src\/eventstore|pg[/-])/],
  ['projections, pg-promise, rxjs', /^(src\/projections|rxjs\/|pg-promise\/)/],
  ['domain', /^src\/domain/],
  ['undici', /^undici\//],
  ['proxy', /^(src\/proxy|eventsource-parser\/)/],
  ['express, http', /^(src\/http|express\/|router\/|body-parser\/|raw-body\/|node:_http|node:internal\/http)/],
  ['zod', /^zod\//],
  ['rest of src', /^src\//],
  ['node: HTTP/2', /^node:(http2|internal\/http2)/],
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
export const sharesOf = ({ nodes, samples, timeDeltas }: CpuProfile): Shares => {
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

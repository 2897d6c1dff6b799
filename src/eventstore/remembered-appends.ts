import type { Slice, SliceResult, StoredFact } from './event-store.ts';

/** An event that this process appended and that was acknowledged as durable. */
export type RememberedEvent = StoredFact;

/** The recent appends of this process, so that it can list the lost ones if the log goes back in time. */
export type RememberedAppends = {
  add(slices: readonly Slice[], results: readonly SliceResult[]): void;
  /** In order of position. */
  all(): readonly RememberedEvent[];
  /** Lost events that an operator has acknowledged are not listed again. */
  forget(ids: ReadonlySet<string>): void;
};

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Remembers the newest events up to `maxBytes` for each of two kinds: the `frequent` types, and the others, so that the
 * many events of completions do not displace the few of keys, limits and grants. `now` is for stores that assign times later.
 */
export const createRememberedAppends = (
  frequent: ReadonlySet<string>,
  now: () => Date,
  maxBytes = MAX_BYTES,
): RememberedAppends => {
  const ofCompletions = createRing(maxBytes);
  const others = createRing(maxBytes);
  return {
    add: (slices, results) => {
      slices.forEach(({ stream, expected, events }, n) => {
        const result = results[n];
        if (result?.kind !== 'appended') return;
        const { written, time = now() } = result;
        events.forEach(({ id, type, version, data }, i) => {
          const place = { position: written[i]?.position ?? 0, stream, revision: expected.revision + 1 + i, time };
          (frequent.has(type) ? ofCompletions : others).push({ ...place, id, type, version, data });
        });
      });
    },
    all: () => [...ofCompletions.all(), ...others.all()].sort((a, b) => a.position - b.position),
    forget: (ids) => {
      ofCompletions.forget(ids);
      others.forget(ids);
    },
  };
};

/** The memory is freed in pieces: this many of them hold all that is remembered. */
const CHUNKS = 16;

/** Whole lines of text, one for each event. */
type Chunk = { readonly bytes: Buffer; used: number };

/**
 * The newest events up to a size, as bytes: the garbage collector would move so many long-lived objects twice, which a
 * completion would wait for.
 */
const createRing = (maxBytes: number) => {
  const chunkBytes = Math.ceil(maxBytes / CHUNKS);
  let chunks: Chunk[] = [];
  const push = (event: RememberedEvent): void => {
    const line = lineOf(event);
    const bytes = Buffer.byteLength(line);
    let chunk = chunks.at(-1);
    if (!chunk || chunk.used + bytes > chunk.bytes.length) {
      chunk = { bytes: Buffer.allocUnsafeSlow(Math.max(bytes, chunkBytes)), used: 0 };
      chunks.push(chunk);
      if (chunks.length > CHUNKS) chunks.shift();
    }
    chunk.used += chunk.bytes.write(line, chunk.used);
  };
  const all = (): readonly RememberedEvent[] =>
    chunks.flatMap(({ bytes, used }) => bytes.toString('utf8', 0, used).split('\n').slice(0, -1).map(eventOf));
  return {
    push,
    all,
    forget: (ids: ReadonlySet<string>): void => {
      const kept = all().filter(({ id }) => !ids.has(id));
      chunks = [];
      kept.forEach(push);
    },
  };
};

/** The data comes last and is JSON of one line. No other field has a space. */
const lineOf = ({ position, revision, version, time, stream, id, type, data }: RememberedEvent): string =>
  `${position} ${revision} ${version} ${time.getTime()} ${stream} ${id} ${type} ${data}\n`;

const FIELDS = /^(\d+) (-?\d+) (\d+) (\d+) (\S+) (\S+) (\S+) (.*)$/s;

const eventOf = (line: string): RememberedEvent => {
  const [, position, revision, version, time, stream = '', id = '', type = '', data = ''] = FIELDS.exec(line) ?? [];
  return {
    ...{
      position: Number(position),
      revision: Number(revision),
      version: Number(version),
      time: new Date(Number(time)),
    },
    ...{ stream, id, type, data },
  };
};

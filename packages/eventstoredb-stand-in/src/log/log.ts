import { randomUUID } from 'node:crypto';
import { recordSize, TOMBSTONE_REVISION } from './event.ts';
import type { LogRecord, ProposedEvent, StoredEvent } from './event.ts';
import { judge } from './expected-revision.ts';
import type { ExpectedRevision, StreamState } from './expected-revision.ts';
import { DELETED_BEFORE, isMetaStream, metaStreamOf, originalStreamOf } from './metadata.ts';
import { readMetadata, recreatedMetadata } from './metadata.ts';
import type { StreamMetadata } from './metadata.ts';

export type AppendOutcome =
  | { readonly kind: 'appended'; readonly revision: number | undefined; readonly position: number }
  | { readonly kind: 'wrong_expected_revision'; readonly current: number | undefined }
  | { readonly kind: 'stream_deleted' };

export type DeleteOutcome =
  | { readonly kind: 'deleted'; readonly position: number }
  | { readonly kind: 'wrong_expected_revision'; readonly current: number }
  | { readonly kind: 'stream_deleted' };

export type Log = {
  append(stream: string, expected: ExpectedRevision, proposed: readonly ProposedEvent[]): AppendOutcome;
  /** Writes metadata that hides the events of the stream (`soft`), or a tombstone that ends it for good. */
  delete(stream: string, expected: ExpectedRevision, how: 'soft' | 'tombstone'): DeleteOutcome;
  /** Events of a stream, also those that its metadata hides. The index is the revision. */
  eventsOf(stream: string): readonly StoredEvent[];
  metadataOf(stream: string): StreamMetadata;
  /** Whether reads of the stream fail. Those of metadata do if its stream has a tombstone. */
  isTombstoned(stream: string): boolean;
  /** All records in the order of their positions. */
  readonly records: readonly LogRecord[];
  /** The position that the next record gets. */
  end(): number;
  /** Forgets all records after the one at a position. The next ones use their positions again. */
  goBackTo(position: number): void;
  /** Calls `listener` for each event once it is appended. Returns a function that stops it. */
  follow(listener: (event: StoredEvent) => void): () => void;
};

/** The position of the first event of a new server. */
const FIRST_POSITION = 548;
const NO_BYTES = new Uint8Array();
const SCAVENGES = { $maxAge: 2_592_000, $acl: { $r: '$ops', $w: [], $d: [], $mr: [], $mw: [] } };

const metadataEvent = (data: Uint8Array): ProposedEvent => {
  return { id: randomUUID(), type: '$metadata', isJson: true, data, metadata: NO_BYTES };
};

export const createLog = (now: () => number): Log => {
  let records: LogRecord[] = [];
  let end = FIRST_POSITION;
  const streams = new Map<string, StoredEvent[]>();
  const tombstoned = new Set<string>();
  /** The last place of each id. Appends with `any` are compared with it. */
  const places = new Map<string, StoredEvent>();
  const listeners = new Set<(event: StoredEvent) => void>();

  const eventsOf = (stream: string): readonly StoredEvent[] => streams.get(stream) ?? [];
  const metadataOf = (stream: string): StreamMetadata => readMetadata(eventsOf(metaStreamOf(stream)).at(-1)?.data);

  const keep = (event: StoredEvent): void => {
    if (event.revision === TOMBSTONE_REVISION) tombstoned.add(event.stream);
    else {
      const events = streams.get(event.stream);
      if (events) events.push(event);
      else streams.set(event.stream, [event]);
    }
    places.set(event.id, event);
  };

  const write = (stream: string, proposed: ProposedEvent, revision = eventsOf(stream).length): StoredEvent => {
    const event = { ...proposed, stream, revision, position: end, createdMs: now() };
    records.push({ position: end, event });
    end += recordSize(stream, proposed);
    keep(event);
    return event;
  };

  const publish = (events: readonly StoredEvent[]): void => {
    for (const event of events) for (const listener of [...listeners]) listener(event);
  };

  /** A deleted stream that gets an event or metadata begins again after its deleted events. */
  const recreate = (stream: string, firstRevision: number): StoredEvent[] => {
    const metadata = eventsOf(metaStreamOf(stream)).at(-1);
    if (!metadata) return [];
    return [write(metaStreamOf(stream), metadataEvent(recreatedMetadata(metadata.data, firstRevision)))];
  };

  const stateOf = (stream: string): StreamState => ({
    events: eventsOf(stream),
    isTombstoned: tombstoned.has(stream),
    isSoftDeleted: metadataOf(stream).isSoftDeleted,
    hasMetadata: eventsOf(metaStreamOf(stream)).length > 0,
    revisionOf: (id) => {
      const place = places.get(id);
      return place?.stream === stream ? place.revision : undefined;
    },
  });

  const append: Log['append'] = (stream, expected, proposed) => {
    const state = stateOf(stream);
    const current = state.events.length - 1;
    const ids = proposed.map(({ id }) => id);
    const verdict = judge(expected, ids, state);
    if (verdict.kind === 'stream_deleted') return verdict;
    if (verdict.kind === 'wrong_expected_revision') {
      return { kind: verdict.kind, current: current < 0 ? undefined : current };
    }
    if (verdict.kind === 'same_as_before') {
      return { kind: 'appended', revision: verdict.last.revision, position: verdict.last.position };
    }
    const original = isMetaStream(stream) ? originalStreamOf(stream) : undefined;
    const undeletesOriginal = original !== undefined && metadataOf(original).isSoftDeleted;
    const written = proposed.map((one) => write(stream, one));
    const position = written.at(-1)?.position ?? end;
    if (written.length === 0) {
      records.push({ position: end });
      end += recordSize(stream);
    }
    const revision = written.at(-1)?.revision ?? (current < 0 ? undefined : current);
    if (state.isSoftDeleted) written.push(...recreate(stream, current + 1));
    if (undeletesOriginal) written.push(...recreate(original, eventsOf(original).length));
    publish(written);
    return { kind: 'appended', revision, position };
  };

  const remove: Log['delete'] = (stream, expected, how) => {
    const state = stateOf(stream);
    const current = state.events.length - 1;
    const id = randomUUID();
    const verdict = judge(expected, [id], state);
    if (verdict.kind === 'stream_deleted') return verdict;
    const isNew = current < 0 && !state.hasMetadata;
    if (verdict.kind !== 'append' || (how === 'soft' && isNew)) return { kind: 'wrong_expected_revision', current };
    const event =
      how === 'soft'
        ? write(metaStreamOf(stream), metadataEvent(Buffer.from(DELETED_BEFORE)))
        : write(
            stream,
            { id, type: '$streamDeleted', isJson: false, data: NO_BYTES, metadata: NO_BYTES },
            TOMBSTONE_REVISION,
          );
    publish([event]);
    return { kind: 'deleted', position: event.position };
  };

  const goBackTo = (position: number): void => {
    const kept = records.filter((record) => record.position <= position);
    end = records[kept.length]?.position ?? end;
    records = kept;
    streams.clear();
    tombstoned.clear();
    places.clear();
    for (const { event } of kept) if (event) keep(event);
  };

  write(metaStreamOf('$scavenges'), metadataEvent(Buffer.from(JSON.stringify(SCAVENGES))));

  return {
    append,
    delete: remove,
    eventsOf,
    metadataOf,
    isTombstoned: (stream) =>
      tombstoned.has(stream) || (isMetaStream(stream) && tombstoned.has(originalStreamOf(stream))),
    get records() {
      return records;
    },
    end: () => end,
    goBackTo,
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

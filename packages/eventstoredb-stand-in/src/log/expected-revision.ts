import type { StoredEvent } from './event.ts';

export type ExpectedRevision = number | 'any' | 'no_stream' | 'stream_exists';

/** What is known of a stream before an append to it. */
export type StreamState = {
  readonly events: readonly StoredEvent[];
  readonly isTombstoned: boolean;
  readonly isSoftDeleted: boolean;
  /** Whether the stream has metadata. */
  readonly hasMetadata: boolean;
  /** The revision at which the stream has the event with this id, among all that have their id last in this stream. */
  readonly revisionOf: (id: string) => number | undefined;
};

export type Verdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'same_as_before'; readonly last: StoredEvent }
  | { readonly kind: 'wrong_expected_revision' }
  | { readonly kind: 'stream_deleted' };

const WRONG: Verdict = { kind: 'wrong_expected_revision' };
const APPEND: Verdict = { kind: 'append' };

/** All ids must be known in the stream, or the first unknown. Their order and revisions do not count. */
const judgeByIds = (ids: readonly string[], { events, revisionOf }: StreamState): Verdict => {
  let last: StoredEvent | undefined;
  for (const id of ids) {
    const revision = revisionOf(id);
    if (revision === undefined) return last ? WRONG : APPEND;
    last = events[revision];
  }
  return last ? { kind: 'same_as_before', last } : APPEND;
};

/** The ids must stand at the revisions right after the expected one. Content is not compared, and more may follow. */
const judgeEarlier = (expected: number, ids: readonly string[], state: StreamState): Verdict => {
  const { events, isSoftDeleted } = state;
  let last: StoredEvent | undefined;
  for (const [at, id] of ids.entries()) {
    const found = events[expected + 1 + at];
    if (found?.id !== id) return !last && expected === -1 && isSoftDeleted ? APPEND : WRONG;
    last = found;
  }
  return last ? { kind: 'same_as_before', last } : WRONG;
};

export const judge = (expected: ExpectedRevision, ids: readonly string[], state: StreamState): Verdict => {
  const current = state.events.length - 1;
  if (state.isTombstoned) return { kind: 'stream_deleted' };
  if (expected === 'stream_exists') {
    if (state.isSoftDeleted) return { kind: 'stream_deleted' };
    if (current < 0 && !state.hasMetadata) return WRONG;
  }
  if (expected === 'any' || expected === 'stream_exists') return judgeByIds(ids, state);
  const exact = expected === 'no_stream' ? -1 : expected;
  if (exact < current) return judgeEarlier(exact, ids, state);
  return exact > current ? WRONG : APPEND;
};

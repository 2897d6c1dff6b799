/** What a client proposes to append. */
export type ProposedEvent = {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
};

export type StoredEvent = ProposedEvent & {
  readonly stream: string;
  readonly revision: number;
  /** The offset of its record in the log, in bytes. It is the commit and the prepare position. */
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
};

/** A place in the log. An append without events has one too. */
export type LogRecord = { readonly position: number; readonly event?: StoredEvent };

/** The revision of the last event of a tombstoned stream: the highest 64-bit integer, which no number can hold. */
export const TOMBSTONE_REVISION = Number.MAX_SAFE_INTEGER;
const HIGHEST_REVISION = '9223372036854775807';

export const revisionText = (revision: number): string =>
  revision === TOMBSTONE_REVISION ? HIGHEST_REVISION : String(revision);

/** The bytes of a record beside its names and its content. */
const RECORD_OVERHEAD = 90;

export const recordSize = (stream: string, event?: ProposedEvent): number => {
  const content = event ? Buffer.byteLength(event.type) + event.data.length + event.metadata.length : 0;
  return RECORD_OVERHEAD + Buffer.byteLength(stream) + content;
};

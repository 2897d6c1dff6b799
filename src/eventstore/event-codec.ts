import type { NewEvent, Position, StoredEvent, StoredFact, StreamEvent } from './event-store.ts';
import type { ReadableVersions } from './event-versions.ts';

/** The cause of an event, stored with it. */
export type Metadata = {
  /** `key:<id>`, `admin`, `system:<what>` or `cli:<what>`. */
  readonly actor: string;
  /** The command that caused the event; the id of the event derives from it. */
  readonly commandId: string;
  /** The request id of the HTTP request that carried the command. */
  readonly correlationId?: string | undefined;
};

/** An event and its place in the log, without metadata. */
export type FactOf<Event> = Pick<StoredFact, 'id' | 'stream' | 'revision' | 'position' | 'time'> & {
  readonly event: Event;
};

/** An event with its place in the log and its metadata. */
export type RecordedOf<Event> = FactOf<Event> & { readonly metadata: Metadata };

/** Converts between the events of the domain and their stored form. The log takes it as a parameter. */
export type EventCodec<Event> = {
  /**
   * Throws if the result could not be decoded again. `readable` is what every running gateway can read; an event that one
   * of them cannot read is written in an older version, or refused with NotReadableByAll. Without it, the newest version
   * is written.
   */
  readonly encode: (event: Event, id: string, metadata: Metadata, readable?: ReadableVersions) => NewEvent;
  /** The event as `decode` will return it: it differs from the given event if it was written in an older version. */
  readonly asWritten: <One extends Event>(event: One, written: NewEvent) => One;
  /** Throws if the event cannot be read. */
  readonly decode: (stored: StoredEvent) => RecordedOf<Event>;
  /** Like `decode`, the event alone. */
  readonly decodeEvent: (stored: Encoded) => Event;
};

/** What an event is decoded from. The place is for the message of an error. */
export type Encoded = Pick<StreamEvent, 'type' | 'version' | 'data' | 'stream' | 'revision'> & {
  readonly position?: Position | undefined;
};

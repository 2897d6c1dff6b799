import { hash } from 'node:crypto';
import { binaryEvent, type EventData, type RecordedEvent } from '@eventstore/db-client';
import type { NewEvent, StreamEvent } from '../../event-store.ts';
import { contentHash } from '../../integrity/chain.ts';

/** The place that an event already had in the log, and its token there: it was migrated, or is appended once more. */
export type FormerPlace = { readonly position: number; readonly time: number; readonly token: string };

/** The first line of what is stored in EventStoreDB for an event; its data and metadata follow, byte for byte. */
type Header = {
  /** The id of the event in the log. The server has an id of its own: see serverId. */
  readonly id: string;
  readonly version: number;
  /** The token of the event before it in its stream; empty for the first. */
  readonly previous: string;
  /** The length of the data in bytes. */
  readonly data: number;
  /** How far the clock of the log was ahead of real time, in ms. */
  readonly moved?: number;
  readonly at?: FormerPlace;
};

/** An event as EventStoreDB has it. */
export type CommittedEvent = StreamEvent & {
  readonly previous: string;
  readonly at: FormerPlace | undefined;
  /** See contentHash. */
  readonly content: string;
  /** Its place among all events of the server, in bytes. */
  readonly commit: number;
};

/** Fault: an event in a stream of the log was not written by this software, or was changed. */
export class ForeignEvent extends Error {
  override readonly name = 'ForeignEvent';
  readonly code = 'foreign_event';

  constructor(stream: string, revision: number, cause?: unknown) {
    super(`the event ${revision} of ${stream} in EventStoreDB was not written by a gateway`, { cause });
  }
}

export type Placed = { readonly stream: string; readonly revision: number };

export type Sealing = {
  readonly previous: string;
  readonly movedMs?: number | undefined;
  readonly at?: FormerPlace | undefined;
  /** Identifies the store that decided to append the event. Left out, if any process repeats the same append. */
  readonly writer?: string;
};

/** Identifies an event and all events before it in its stream. `content` is the contentHash of the event. */
const tokenOf = (content: string, previous: string): string => hash('sha256', `${previous}\n${content}`, 'hex');

/** The form in which an event is appended, and its token. `named` is the name of the stream on the server. */
export const sealEvent = (
  event: NewEvent,
  place: Placed & { readonly named: string },
  { previous, movedMs, at, writer = '' }: Sealing,
): { readonly event: EventData; readonly token: string } => {
  const { id, type, version, data, metadata } = event;
  const header: Header = {
    ...{ id, version, previous, data: Buffer.byteLength(data) },
    ...(movedMs === undefined ? {} : { moved: movedMs }),
    ...(at ? { at } : {}),
  };
  const line = JSON.stringify(header);
  const content = contentHash(event, place.stream, place.revision);
  return {
    event: binaryEvent({
      id: serverId(place.named, writer, line, content),
      type,
      data: Buffer.from(`${line}\n${data}${metadata}`),
    }),
    token: at?.token ?? tokenOf(content, previous),
  };
};

/**
 * The id under which the server stores an event: a UUID (version 8) of its writer, content and place. The server takes a
 * known id at the expected revision for a repetition and compares nothing else, so another content must have another id. So
 * must another writer: of two nodes that execute one command, only one may be the first.
 */
const serverId = (named: string, writer: string, header: string, content: string): string => {
  const digest = hash('sha256', `${named}\n${writer}\n${content}\n${header}`, 'hex');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
};

const NEWLINE = 0x0a;

/** Throws ForeignEvent if the event is not one of the log. `prefix` is how the names of the log's streams begin. */
export const openEvent = (recorded: RecordedEvent, prefix: string, commit: bigint | undefined): CommittedEvent => {
  const { streamId, type, created, data } = recorded;
  const stream = streamId.slice(prefix.length);
  const revision = Number(recorded.revision);
  try {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    const end = bytes.indexOf(NEWLINE);
    const { moved = 0, at, ...header } = JSON.parse(bytes.toString('utf8', 0, end)) as Header;
    const middle = end + 1 + header.data;
    const event = {
      ...{ id: header.id, type, version: header.version },
      ...{ data: bytes.toString('utf8', end + 1, middle), metadata: bytes.toString('utf8', middle) },
    };
    const { previous } = header;
    const content = contentHash(event, stream, revision);
    return {
      ...{ ...event, stream, revision, previous, at, content },
      commit: Number(commit ?? recorded.position?.commit ?? 0n),
      time: new Date(at?.time ?? created.getTime() + moved),
      token: at?.token ?? tokenOf(content, previous),
    };
  } catch (cause) {
    throw new ForeignEvent(stream, revision, cause);
  }
};

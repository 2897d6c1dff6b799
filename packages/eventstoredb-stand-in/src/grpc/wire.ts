import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import { revisionText } from '../log/event.ts';
import type { ProposedEvent, StoredEvent } from '../log/event.ts';
import { messages, shared } from './stubs.ts';

const TICKS_PER_MS = 10_000n;

export const identifierOf = (stream: string): StreamIdentifier =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(stream));

export const streamNameOf = (identifier: StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();

const UUID_SHAPE = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Undefined if it is no UUID, or the one of zeros. */
export const idOf = (uuid: UUID | undefined): string | undefined => {
  const id = uuid?.getString().toLowerCase() ?? '';
  return UUID_SHAPE.test(id) && /[^0-]/.test(id) ? id : undefined;
};

/** What both kinds of append call a proposed message. */
export type ProposedMessage = {
  getId(): UUID | undefined;
  getMetadataMap(): { get(name: string): string | undefined };
  getData_asU8(): Uint8Array;
  getCustomMetadata_asU8(): Uint8Array;
};

/** Undefined if the server refuses an event like this. */
export const proposedEvent = (message: ProposedMessage): ProposedEvent | undefined => {
  const id = idOf(message.getId());
  const type = message.getMetadataMap().get('type');
  const contentType = message.getMetadataMap().get('content-type');
  if (id === undefined || !type || contentType === undefined) return undefined;
  const isJson = contentType === 'application/json';
  return { id, type, isJson, data: message.getData_asU8(), metadata: message.getCustomMetadata_asU8() };
};

export const eventResponse = (event: StoredEvent): ReadResp => {
  const recorded = new messages.ReadResp.ReadEvent.RecordedEvent();
  const position = String(event.position);
  recorded.setId(new shared.UUID().setString(event.id)).setStreamIdentifier(identifierOf(event.stream));
  recorded.setStreamRevision(revisionText(event.revision)).setPreparePosition(position).setCommitPosition(position);
  recorded.getMetadataMap().set('type', event.type);
  recorded.getMetadataMap().set('created', String(BigInt(event.createdMs) * TICKS_PER_MS));
  recorded.getMetadataMap().set('content-type', event.isJson ? 'application/json' : 'application/octet-stream');
  recorded.setData(event.data).setCustomMetadata(event.metadata);
  return new messages.ReadResp().setEvent(
    new messages.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(position),
  );
};

export const streamNotFound = (stream: string): ReadResp =>
  new messages.ReadResp().setStreamNotFound(
    new messages.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream)),
  );

export const confirmation = (id: string): ReadResp =>
  new messages.ReadResp().setConfirmation(new messages.ReadResp.SubscriptionConfirmation().setSubscriptionId(id));

export const caughtUp = (): ReadResp => new messages.ReadResp().setCaughtUp(new messages.ReadResp.CaughtUp());

export const checkpoint = (commit: number, prepare: number): ReadResp =>
  new messages.ReadResp().setCheckpoint(
    new messages.ReadResp.Checkpoint().setCommitPosition(String(commit)).setPreparePosition(String(prepare)),
  );

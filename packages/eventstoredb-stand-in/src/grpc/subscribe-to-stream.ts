import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOMBSTONE_REVISION } from '../log/event.ts';
import type { StoredEvent } from '../log/event.ts';
import { readStream } from '../log/read-stream.ts';
import { streamDeleted } from './errors.ts';
import { createDelivery } from './live.ts';
import type { Delivery } from './live.ts';
import type { ReadCall } from './read.ts';
import type { ServerState } from './server-state.ts';
import { eventResponse, streamNameOf } from './wire.ts';

const PAGE_SIZE = 32;
/** How often the server looks for a stream that does not exist yet. */
const POLL_MS = 50;

/** Delivers what the stream has from a revision on. Resolves at its end. */
const catchUp = async (state: ServerState, delivery: Delivery, stream: string, from: number): Promise<void> => {
  let next = from;
  while (!delivery.isOver()) {
    const range = { direction: 'forwards', from: next, count: PAGE_SIZE } as const;
    const read = readStream(state.log, stream, range, state.now());
    if (read.kind === 'stream_deleted') return delivery.fail(streamDeleted(stream));
    delivery.confirm();
    if (read.kind === 'stream_not_found') {
      await sleep(POLL_MS);
      continue;
    }
    for (const event of read.events) {
      await delivery.send(eventResponse(event));
      next = event.revision + 1;
    }
    // Nothing may be appended between this look and the start of live delivery: no await in between.
    if (state.log.eventsOf(stream).length <= next) return;
  }
};

export const subscribeToStream = async (
  state: ServerState,
  call: ReadCall,
  options: ReadReq.Options.StreamOptions,
): Promise<void> => {
  const stream = streamNameOf(options.getStreamIdentifier());
  const after = options.hasRevision() ? Number(options.getRevision()) : -1;
  const delivery = createDelivery(state, call);
  if (options.hasEnd()) delivery.confirm();
  else await catchUp(state, delivery, stream, after + 1);
  delivery.goLive((event: StoredEvent) => {
    if (event.stream !== stream || event.revision <= after) return;
    delivery.sendLive(eventResponse(event));
    if (event.revision === TOMBSTONE_REVISION) delivery.fail(streamDeleted(stream));
  });
};

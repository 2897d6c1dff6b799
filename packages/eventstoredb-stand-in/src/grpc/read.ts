import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { StoredEvent } from '../log/event.ts';
import { backwardsFrom, forwardsFrom } from '../log/read-all.ts';
import { readStream } from '../log/read-stream.ts';
import type { StreamRange } from '../log/read-stream.ts';
import { drained } from './drained.ts';
import { handlerFailed, streamDeleted, unknown } from './errors.ts';
import type { ServerState } from './server-state.ts';
import { messages } from './stubs.ts';
import { subscribeToAll } from './subscribe-to-all.ts';
import { subscribeToStream } from './subscribe-to-stream.ts';
import { eventResponse, streamNameOf, streamNotFound } from './wire.ts';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

const readFailed = (result: 'ReadStreamResult' | 'ReadAllResult') => unknown(`Unexpected ${result}: Error`);

const writeAll = async (call: ReadCall, events: Iterable<StoredEvent>): Promise<void> => {
  for (const event of events) {
    if (call.cancelled || call.writableEnded) return;
    if (!call.write(eventResponse(event))) await drained(call);
  }
  call.end();
};

const isBackwards = (options: ReadReq.Options): boolean =>
  options.getReadDirection() === messages.ReadReq.Options.ReadDirection.BACKWARDS;

const rangeOf = (options: ReadReq.Options, stream: ReadReq.Options.StreamOptions): StreamRange => ({
  direction: isBackwards(options) ? 'backwards' : 'forwards',
  from: stream.hasEnd() ? 'end' : stream.hasRevision() ? Number(stream.getRevision()) : 0,
  count: Number(options.getCount()),
});

const readOneStream = async (
  state: ServerState,
  call: ReadCall,
  options: ReadReq.Options,
  stream: ReadReq.Options.StreamOptions,
): Promise<void> => {
  const name = streamNameOf(stream.getStreamIdentifier());
  const range = rangeOf(options, stream);
  const isInvalid = range.count === 0 || (range.direction === 'forwards' && range.from === 'end');
  if (isInvalid) throw readFailed('ReadStreamResult');
  const read = readStream(state.log, name, range, state.now());
  if (read.kind === 'stream_deleted') throw streamDeleted(name);
  if (read.kind === 'events') return writeAll(call, read.events);
  call.write(streamNotFound(name));
  call.end();
};

function* eventsBackwards(state: ServerState, from: number, count: number): Iterable<StoredEvent> {
  const { records } = state.log;
  let left = count;
  for (let at = from - 1; at >= 0 && left > 0; at -= 1) {
    const event = records[at]?.event;
    if (!event) continue;
    yield event;
    left -= 1;
  }
}

function* eventsForwards(state: ServerState, from: number, count: number): Iterable<StoredEvent> {
  const { records } = state.log;
  let left = count;
  for (let at = from; at < records.length && left > 0; at += 1) {
    const event = records[at]?.event;
    if (!event) continue;
    yield event;
    left -= 1;
  }
}

export type PositionChoice = 'start' | 'end' | { readonly commit: number; readonly prepare: number };

export const positionOf = (all: ReadReq.Options.AllOptions): PositionChoice => {
  if (all.hasEnd()) return 'end';
  const position = all.getPosition();
  if (!position) return 'start';
  const commit = Number(position.getCommitPosition());
  const prepare = Number(position.getPreparePosition());
  if (prepare > commit) throw handlerFailed();
  return { commit, prepare };
};

const readAll = async (
  state: ServerState,
  call: ReadCall,
  options: ReadReq.Options,
  all: ReadReq.Options.AllOptions,
): Promise<void> => {
  const choice = positionOf(all);
  const count = Number(options.getCount());
  if (count === 0) return; // The server never answers.
  const { log } = state;
  const position = choice === 'start' ? 0 : choice === 'end' ? log.end() : choice.commit;
  const from = isBackwards(options) ? backwardsFrom(log, position) : forwardsFrom(log, position);
  if (from === undefined) throw readFailed('ReadAllResult');
  await writeAll(call, isBackwards(options) ? eventsBackwards(state, from, count) : eventsForwards(state, from, count));
};

const serve = async (state: ServerState, call: ReadCall): Promise<void> => {
  const options = call.request.getOptions();
  const stream = options?.getStream();
  const all = options?.getAll();
  if (options?.hasSubscription() && stream) return subscribeToStream(state, call, stream);
  if (options?.hasSubscription() && all) return subscribeToAll(state, call, positionOf(all), options.getFilter());
  if (options && stream) return readOneStream(state, call, options, stream);
  if (options && all) return readAll(state, call, options, all);
  throw handlerFailed();
};

export const createRead =
  (state: ServerState) =>
  (call: ReadCall): void => {
    serve(state, call).catch((error: unknown) => call.emit('error', error));
  };

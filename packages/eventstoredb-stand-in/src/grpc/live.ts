import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { randomUUID } from 'node:crypto';
import type { StoredEvent } from '../log/event.ts';
import { drained } from './drained.ts';
import { consumerTooSlow } from './errors.ts';
import type { OpenCall, ServerState } from './server-state.ts';
import { caughtUp, confirmation } from './wire.ts';

/** One subscription: messages of the past wait for the consumer, live ones only up to a limit. */
export type Delivery = {
  /** Whether the call has ended, for whatever reason. */
  readonly isOver: () => boolean;
  confirm(): void;
  /** Resolves once the consumer has room for more. */
  send(response: ReadResp): Promise<void>;
  /** Announces that the past is delivered, and passes each later event to `deliver`. */
  goLive(deliver: (event: StoredEvent) => void): void;
  sendLive(response: ReadResp): void;
  fail(error: Error): void;
};

export const createDelivery = (state: ServerState, call: ServerWritableStream<ReadReq, ReadResp>): Delivery => {
  let isOver = false;
  let stopFollowing = (): void => {};
  const fail = (error: Error): void => {
    if (isOver) return;
    close();
    call.emit('error', error);
  };
  const subscription: OpenCall = {
    end: () => {
      close();
      call.end();
    },
    fail,
  };
  const close = (): void => {
    isOver = true;
    stopFollowing();
    state.subscriptions.delete(subscription);
  };
  state.subscriptions.add(subscription);
  call.on('cancelled', close);
  let isConfirmed = false;
  return {
    isOver: () => isOver,
    confirm: () => {
      if (!isConfirmed && !isOver) call.write(confirmation(randomUUID()));
      isConfirmed = true;
    },
    send: async (response) => {
      if (!isOver && !call.write(response)) await drained(call);
    },
    goLive: (deliver) => {
      if (isOver) return;
      stopFollowing = state.log.follow(deliver);
      call.write(caughtUp());
    },
    sendLive: (response) => {
      if (isOver) return;
      if (call.writableLength > state.liveBuffer) fail(consumerTooSlow());
      else call.write(response);
    },
    fail,
  };
};

import type { Message } from 'google-protobuf';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import type { Code } from '@eventstore/db-client/generated/code_pb.js';
import type { AnsweredRefusal, Faults } from '../faults.ts';
import { accessDenied, notLeader, timedOut, unavailable, unknown } from './errors.ts';
import type { CallError } from './errors.ts';
import { anyMessage, codes, emptyMessage, shared, statuses } from './stubs.ts';

const NO_LEADER = 'No leader info available in response';

/** What a batched append answers instead of success. `type` is the name by which the client unpacks the details. */
export const batchStatus = (code: Code, message: string, details: Message, type: string): Status => {
  const packed = new anyMessage.Any();
  packed.pack(details.serializeBinary(), type);
  return new statuses.Status().setCode(code).setMessage(message).setDetails(packed);
};

const ownStatus = (code: Code, name: string, details: Message): Status =>
  batchStatus(code, name, details, `event_store.client.${name}`);

export const timeoutStatus = (): Status => ownStatus(codes.Code.DEADLINE_EXCEEDED, 'Timeout', new shared.Timeout());

export const badRequest = (message: string): Status =>
  ownStatus(codes.Code.INVALID_ARGUMENT, 'BadRequest', new shared.BadRequest().setMessage(message));

export const tooLarge = (limit: number): Status =>
  ownStatus(
    codes.Code.INVALID_ARGUMENT,
    'MaximumAppendSizeExceeded',
    new shared.MaximumAppendSizeExceeded().setMaxappendsize(limit),
  );

const notHandled = (message: string): Status =>
  batchStatus(codes.Code.OK, message, new emptyMessage.Empty(), 'google.protobuf.Empty');

/** The answer to a refused append of a batch, or the error that ends the whole call. */
export const refusedInBatch = (refusal: AnsweredRefusal, { leader }: Faults): Status | CallError => {
  switch (refusal) {
    case 'read-only':
      return notHandled(NO_LEADER);
    case 'not-leader':
      return notLeader(leader);
    case 'not-ready':
      return notHandled('Server Is Not Ready');
    case 'too-busy':
      return notHandled('Server Is Busy');
    case 'timeout':
      return timeoutStatus();
    case 'access-denied':
      return ownStatus(codes.Code.PERMISSION_DENIED, 'AccessDenied', new shared.AccessDenied());
  }
};

/** The error of a refused append that is a call of its own. */
export const refusedCall = (refusal: AnsweredRefusal, { leader }: Faults): CallError => {
  switch (refusal) {
    case 'read-only':
      return unknown(NO_LEADER);
    case 'not-leader':
      return notLeader(leader);
    case 'not-ready':
      return unavailable('Server Is Not Ready');
    case 'too-busy':
      return unavailable('Server Is Too Busy');
    case 'timeout':
      return timedOut('Prepare phase timeout.');
    case 'access-denied':
      return accessDenied();
  }
};

import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import type { DeleteReq, DeleteResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { TombstoneReq, TombstoneResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js';
import { refusalOf } from '../faults.ts';
import type { ExpectedRevision } from '../log/expected-revision.ts';
import { expectedIn } from './append.ts';
import type { ExpectedOption } from './append.ts';
import { handlerFailed, streamDeleted, wrongVersionOfDelete } from './errors.ts';
import { refusedCall } from './refusals.ts';
import type { ServerState } from './server-state.ts';
import { messages } from './stubs.ts';
import { streamNameOf } from './wire.ts';

type Options = ExpectedOption & { getStreamIdentifier(): StreamIdentifier | undefined; getRevision(): string };

/** The numbers by which the server reports expected revisions that have a name. */
const NAMED = { any: -2, no_stream: -1, stream_exists: -4 } as const;
const numberOf = (expected: ExpectedRevision): number => (typeof expected === 'number' ? expected : NAMED[expected]);

/** Deletes a stream. Returns its position in the log as text; throws what the call ends with otherwise. */
const remove = (state: ServerState, options: Options | undefined, how: 'soft' | 'tombstone'): string => {
  const stream = streamNameOf(options?.getStreamIdentifier());
  if (!options || !stream) throw handlerFailed();
  const refusal = refusalOf(state.faults);
  if (refusal) throw refusedCall(refusal, state.faults);
  const expected = expectedIn(options, options.getRevision());
  const outcome = state.log.delete(stream, expected, how);
  if (outcome.kind === 'stream_deleted') throw streamDeleted(stream);
  if (outcome.kind === 'deleted') return String(outcome.position);
  throw wrongVersionOfDelete(stream, numberOf(expected), outcome.current);
};

const answerWith = <T>(answer: sendUnaryData<T>, respond: () => T): void => {
  try {
    answer(null, respond());
  } catch (error) {
    answer(error as Error);
  }
};

export const createDelete =
  (state: ServerState) =>
  ({ request }: ServerUnaryCall<DeleteReq, DeleteResp>, answer: sendUnaryData<DeleteResp>): void =>
    answerWith(answer, () => {
      const at = remove(state, request.getOptions(), 'soft');
      const position = new messages.DeleteResp.Position().setCommitPosition(at).setPreparePosition(at);
      return new messages.DeleteResp().setPosition(position);
    });

export const createTombstone =
  (state: ServerState) =>
  ({ request }: ServerUnaryCall<TombstoneReq, TombstoneResp>, answer: sendUnaryData<TombstoneResp>): void =>
    answerWith(answer, () => {
      const at = remove(state, request.getOptions(), 'tombstone');
      const position = new messages.TombstoneResp.Position().setCommitPosition(at).setPreparePosition(at);
      return new messages.TombstoneResp().setPosition(position);
    });

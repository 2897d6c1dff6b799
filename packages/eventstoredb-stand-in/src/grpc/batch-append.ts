import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import { fateOfAnswer, refusalOf } from '../faults.ts';
import type { ProposedEvent } from '../log/event.ts';
import type { ExpectedRevision } from '../log/expected-revision.ts';
import type { AppendOutcome } from '../log/log.ts';
import { expectedIn } from './append.ts';
import { badRequest, batchStatus, refusedInBatch, timeoutStatus, tooLarge } from './refusals.ts';
import type { OpenCall, ServerState } from './server-state.ts';
import { codes, emptyMessage, messages, shared } from './stubs.ts';
import { identifierOf, idOf, proposedEvent, streamNameOf } from './wire.ts';

/** The server gives up on an append after this time, whatever deadline the request has. */
const LONGEST_APPEND_MS = 2_000;

/** An append whose last message has not arrived. */
type Pending = {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: ProposedEvent[];
  size: number;
  readonly timer: NodeJS.Timeout;
};

const wrongVersion = (expected: ExpectedRevision, current: number | undefined): Status => {
  const details = new shared.WrongExpectedVersion();
  if (current === undefined) details.setCurrentNoStream(new emptyMessage.Empty());
  else details.setCurrentStreamRevision(String(current));
  if (expected === 'any') details.setExpectedAny(new emptyMessage.Empty());
  else if (expected === 'no_stream') details.setExpectedNoStream(new emptyMessage.Empty());
  else if (expected === 'stream_exists') details.setExpectedStreamExists(new emptyMessage.Empty());
  else details.setExpectedStreamPosition(String(expected));
  const type = 'event_store.client.WrongExpectedVersion';
  return batchStatus(codes.Code.ALREADY_EXISTS, 'WrongExpectedVersion', details, type);
};

const resultOf = (stream: string, expected: ExpectedRevision, outcome: AppendOutcome): BatchAppendResp => {
  const response = new messages.BatchAppendResp();
  if (outcome.kind === 'wrong_expected_revision') return response.setError(wrongVersion(expected, outcome.current));
  if (outcome.kind === 'stream_deleted') {
    const details = new shared.StreamDeleted().setStreamIdentifier(identifierOf(stream));
    const type = 'event_store.client.StreamDeleted';
    return response.setError(batchStatus(codes.Code.NOT_FOUND, 'StreamDeleted', details, type));
  }
  const position = String(outcome.position);
  const success = new messages.BatchAppendResp.Success().setPosition(
    new shared.AllStreamPosition().setCommitPosition(position).setPreparePosition(position),
  );
  if (outcome.revision === undefined) success.setNoStream(new emptyMessage.Empty());
  else success.setCurrentRevision(String(outcome.revision));
  return response.setSuccess(success);
};

const remainingMs = (options: BatchAppendReq.Options): number => {
  const deadline = options.getDeadline()?.toDate().getTime();
  return Math.min(deadline === undefined ? Infinity : deadline - Date.now(), LONGEST_APPEND_MS);
};

/** One call that carries many appends. Each is answered with its correlation id. */
class Batch {
  readonly #state: ServerState;
  readonly #call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>;
  readonly #pending = new Map<string, Pending>();

  constructor(state: ServerState, call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>) {
    this.#state = state;
    this.#call = call;
  }

  #answer(correlationId: string, stream: string, response: BatchAppendResp): void {
    if (this.#call.cancelled || this.#call.writableEnded) return;
    response.setCorrelationId(new shared.UUID().setString(correlationId)).setStreamIdentifier(identifierOf(stream));
    this.#call.write(response);
  }

  #refuse(correlationId: string, stream: string, error: Status): void {
    this.#answer(correlationId, stream, new messages.BatchAppendResp().setError(error));
  }

  #forget(correlationId: string): Pending | undefined {
    const pending = this.#pending.get(correlationId);
    clearTimeout(pending?.timer);
    this.#pending.delete(correlationId);
    return pending;
  }

  /** Returns false if the append is refused by its first message. */
  #begin(correlationId: string, options: BatchAppendReq.Options): boolean {
    const stream = streamNameOf(options.getStreamIdentifier());
    const left = remainingMs(options);
    if (left <= 0) {
      this.#refuse(correlationId, stream, timeoutStatus());
      return false;
    }
    const timer = setTimeout(() => {
      if (this.#forget(correlationId)) this.#refuse(correlationId, stream, timeoutStatus());
    }, left);
    const expected = expectedIn(options, options.getStreamPosition());
    this.#pending.set(correlationId, { stream, expected, events: [], size: 0, timer });
    return true;
  }

  #commit(correlationId: string, { stream, expected, events }: Pending): void {
    const { faults, log } = this.#state;
    if (!stream) return this.#refuse(correlationId, stream, badRequest('The stream has no name.'));
    const refusal = refusalOf(faults);
    if (refusal) {
      const refused = refusedInBatch(refusal, faults);
      if (refused instanceof Error) this.#call.emit('error', refused);
      else this.#refuse(correlationId, stream, refused);
      return;
    }
    const outcome = log.append(stream, expected, events);
    const fate = fateOfAnswer(faults);
    if (fate === 'answered') this.#answer(correlationId, stream, resultOf(stream, expected, outcome));
    if (fate === 'timeout') this.#refuse(correlationId, stream, timeoutStatus());
  }

  receive(request: BatchAppendReq): void {
    const correlationId = idOf(request.getCorrelationId());
    if (correlationId === undefined) return;
    const options = request.getOptions();
    if (options && !this.#pending.has(correlationId) && !this.#begin(correlationId, options)) return;
    const pending = this.#pending.get(correlationId);
    if (!pending) return;
    for (const message of request.getProposedMessagesList()) {
      const event = proposedEvent(message);
      // As on the real server, the append stays pending: after its deadline it gets a second answer.
      if (!event) return this.#refuse(correlationId, pending.stream, badRequest('An event is invalid.'));
      pending.events.push(event);
      pending.size += event.data.length; // The server does not count types and metadata.
    }
    if (pending.size > this.#state.maxAppendSize) {
      this.#forget(correlationId);
      this.#refuse(correlationId, pending.stream, tooLarge(this.#state.maxAppendSize));
    } else if (request.getIsFinal()) {
      this.#forget(correlationId);
      this.#commit(correlationId, pending);
    }
  }

  close(): void {
    for (const correlationId of [...this.#pending.keys()]) this.#forget(correlationId);
  }
}

export const createBatchAppend =
  (state: ServerState) =>
  (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
    const batch = new Batch(state, call);
    const open: OpenCall = { end: () => call.end(), fail: (error) => call.emit('error', error) };
    state.batches.add(open);
    const close = (): void => {
      batch.close();
      state.batches.delete(open);
    };
    call.on('data', (request: BatchAppendReq) => batch.receive(request));
    call.on('end', () => call.end());
    call.on('cancelled', close);
    call.on('finish', close);
  };

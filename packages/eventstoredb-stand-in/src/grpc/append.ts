import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { fateOfAnswer, refusalOf } from '../faults.ts';
import type { ProposedEvent } from '../log/event.ts';
import type { ExpectedRevision } from '../log/expected-revision.ts';
import type { AppendOutcome } from '../log/log.ts';
import { appendTooLarge, handlerFailed, metadataMissing, streamDeleted, timedOut } from './errors.ts';
import { refusedCall } from './refusals.ts';
import type { ServerState } from './server-state.ts';
import { messages, shared } from './stubs.ts';
import { proposedEvent, streamNameOf } from './wire.ts';

export type ExpectedOption = {
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
};

export const expectedIn = (options: ExpectedOption, exact: string): ExpectedRevision => {
  if (options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'no_stream';
  return options.hasStreamExists() ? 'stream_exists' : Number(exact);
};

const wrongVersion = (expected: ExpectedRevision, current: number | undefined) => {
  const wrong = new messages.AppendResp.WrongExpectedVersion();
  if (current === undefined) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(current));
  if (expected === 'any') return wrong.setExpectedAny(new shared.Empty());
  if (expected === 'no_stream') return wrong.setExpectedNoStream(new shared.Empty());
  if (expected === 'stream_exists') return wrong.setExpectedStreamExists(new shared.Empty());
  return wrong.setExpectedRevision(String(expected));
};

const response = (
  expected: ExpectedRevision,
  outcome: Exclude<AppendOutcome, { kind: 'stream_deleted' }>,
): AppendResp => {
  if (outcome.kind === 'wrong_expected_revision') {
    return new messages.AppendResp().setWrongExpectedVersion(wrongVersion(expected, outcome.current));
  }
  const position = String(outcome.position);
  const success = new messages.AppendResp.Success().setPosition(
    new messages.AppendResp.Position().setCommitPosition(position).setPreparePosition(position),
  );
  if (outcome.revision === undefined) success.setNoStream(new shared.Empty());
  else success.setCurrentRevision(String(outcome.revision));
  return new messages.AppendResp().setSuccess(success);
};

/** The events of one append, as they arrive. */
type Received = { header: AppendReq.Options | undefined; readonly events: ProposedEvent[]; size: number };

/** Adds a message to an append. Returns the error that ends it. */
const receive = (state: ServerState, received: Received, request: AppendReq): Error | undefined => {
  if (!received.header) {
    received.header = request.getOptions();
    return received.header ? undefined : handlerFailed();
  }
  const message = request.getProposedMessage();
  if (!message) return handlerFailed();
  for (const name of ['type', 'content-type']) {
    if (message.getMetadataMap().get(name) === undefined) return metadataMissing(name);
  }
  received.size += message.getData_asU8().length; // The server does not count types and metadata.
  if (received.size > state.maxAppendSize) return appendTooLarge(state.maxAppendSize);
  const event = proposedEvent(message);
  if (!event) return handlerFailed();
  received.events.push(event);
  return undefined;
};

export const createAppend =
  (state: ServerState) =>
  (call: ServerReadableStream<AppendReq, AppendResp>, answer: sendUnaryData<AppendResp>): void => {
    const received: Received = { header: undefined, events: [], size: 0 };
    let isOver = false;
    const fail = (error: Error): void => {
      isOver = true;
      answer(error);
    };
    call.on('data', (request: AppendReq) => {
      const error = isOver ? undefined : receive(state, received, request);
      if (error) fail(error);
    });
    call.on('end', () => {
      const { header, events } = received;
      if (isOver || call.cancelled) return;
      const stream = streamNameOf(header?.getStreamIdentifier());
      if (!header || !stream) return fail(handlerFailed());
      const refusal = refusalOf(state.faults);
      if (refusal) return fail(refusedCall(refusal, state.faults));
      const expected = expectedIn(header, header.getRevision());
      const outcome = state.log.append(stream, expected, events);
      const fate = fateOfAnswer(state.faults);
      if (fate === 'lost') return;
      if (fate === 'timeout') return fail(timedOut('Commit phase timeout.'));
      if (outcome.kind === 'stream_deleted') fail(streamDeleted(stream));
      else answer(null, response(expected, outcome));
    });
  };

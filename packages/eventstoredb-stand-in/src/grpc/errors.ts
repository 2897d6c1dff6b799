import { Metadata, status } from '@grpc/grpc-js';

/** What a call of gRPC ends with. The client reads the kind of error in the trailer `exception`. */
export type CallError = Error & { readonly code: status; readonly details: string; readonly metadata: Metadata };

const callError = (code: status, details: string, trailers: Readonly<Record<string, string>> = {}): CallError => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
};

export const streamDeleted = (stream: string): CallError =>
  callError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

export const wrongVersionOfDelete = (stream: string, expected: number, actual: number): CallError =>
  callError(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  );

export const appendTooLarge = (limit: number): CallError =>
  callError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limit),
  });

export const metadataMissing = (name: string): CallError =>
  callError(status.INVALID_ARGUMENT, `Required Metadata Property '${name}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

export const accessDenied = (): CallError =>
  callError(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const notLeader = ({ host, port }: { readonly host: string; readonly port: number }): CallError =>
  callError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  });

export const timedOut = (message: string): CallError => callError(status.ABORTED, `Operation timed out: ${message}`);

export const consumerTooSlow = (): CallError =>
  timedOut('Consumer too slow to handle event while live. Client resubscription required.');

/** What the client makes of a stream that a server resets while it shuts down. */
export const shutDown = (): CallError =>
  callError(status.INTERNAL, 'Received RST_STREAM with code 0 (Call ended without gRPC status)');

export const unavailable = (details: string): CallError => callError(status.UNAVAILABLE, details);
export const unknown = (details: string): CallError => callError(status.UNKNOWN, details);
/** An exception that the server does not explain. */
export const handlerFailed = (): CallError => unknown('Exception was thrown by handler.');

import { ErrorType, isCommandError } from '@eventstore/db-client';
import { StoreFull, StoreUnavailable } from '../../event-store.ts';

/** Fault: EventStoreDB was silent for longer than a call may take. The outcome of the call is unknown. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code = 'no_answer';
}

/** The limits of the client have no effect on most of its calls: it would wait for a silent server for ever. */
export const within = async <T>(ms: number, what: string, call: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`EventStoreDB did not answer within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([call, silence]);
  } finally {
    clearTimeout(timer);
  }
};

export const isOfType = (error: unknown, ...types: readonly ErrorType[]): boolean =>
  error instanceof Error && isCommandError(error) && (types as readonly string[]).includes(error.type);

/** The stream is not at the expected revision. */
export const isWrongRevision = (error: unknown): boolean => isOfType(error, ErrorType.WRONG_EXPECTED_VERSION);

export const isNotThere = (error: unknown): boolean => isOfType(error, ErrorType.STREAM_NOT_FOUND);

/** The server answered, and will answer the same again: the connection is good. */
export const isRefusal = (error: unknown): boolean =>
  isOfType(
    error,
    ErrorType.WRONG_EXPECTED_VERSION,
    ErrorType.STREAM_NOT_FOUND,
    ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED,
    ErrorType.ACCESS_DENIED,
    ErrorType.STREAM_DELETED,
  );

/** Whether the client replaces its connection after this error. */
export const replacesConnection = (error: unknown): boolean =>
  isOfType(error, ErrorType.UNAVAILABLE, ErrorType.CANCELLED, ErrorType.NOT_LEADER);

/** How the server reports that its disk is full. It then stops within moments. */
const DISK_FULL = /no space left|not enough space|disk full/i;

export const asStoreFault = (cause: unknown): StoreUnavailable => {
  if (cause instanceof StoreUnavailable) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return DISK_FULL.test(reason)
    ? new StoreFull(`the disk of EventStoreDB is full, make room there: ${reason}`, { cause })
    : new StoreUnavailable(`EventStoreDB does not answer: ${reason}`, { cause });
};

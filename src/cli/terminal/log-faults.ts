import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { CannotExport } from '../../eventstore/integrity/export-log.ts';
import { NoSuchEvent } from '../../eventstore/integrity/verify/verify-database.ts';
import { NotAnExport } from '../../eventstore/integrity/verify/verify-file.ts';
import { CliFault } from './fault.ts';
import { fileFault } from './file-faults.ts';

const NO_SUCH_TABLE = '42P01';
/** Messages of `pg` for a lost connection, which have no code. */
const CONNECTION_LOST = /^(08|57P)|^ECONN|^EPIPE/;

/** Describes an error of the log or of a file; other errors are returned unchanged. */
export const logFault = (error: unknown): unknown => {
  if ([CannotExport, NotAnExport, NoSuchEvent].some((fault) => error instanceof fault) && error instanceof Error)
    return new CliFault(error.message, { cause: error });
  const { code = '', message = '' } = (error ?? {}) as { readonly code?: string; readonly message?: string };
  if (code === NO_SUCH_TABLE) {
    const hint = 'Start a gateway of this version on it once.';
    return new CliFault(`A table of the log is missing: ${message}. ${hint}`, { cause: error });
  }
  const ofFile = fileFault(error);
  if (ofFile) return ofFile;
  if (CONNECTION_LOST.test(code) || message.includes('Connection terminated')) {
    return new StoreUnavailable(`the database went away: ${message}`, { cause: error });
  }
  return error;
};

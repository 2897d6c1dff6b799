import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { CannotExport } from '../../eventstore/integrity/export-log.ts';
import { NoSuchEvent } from '../../eventstore/integrity/verify/verify-database.ts';
import { NotAnExport } from '../../eventstore/integrity/verify/verify-file.ts';
import { CliFault } from './fault.ts';
import { fileFault } from './file-faults.ts';

const NO_SUCH_TABLE = '42P01';
/** Of PostgreSQL that goes away; `pg` itself only says it in words. */
const CONNECTION_LOST = /^(08|57P)|^ECONN|^EPIPE/;

/** What went wrong with a log or a file, in words for the operator; whatever else it may be stays as it is. */
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

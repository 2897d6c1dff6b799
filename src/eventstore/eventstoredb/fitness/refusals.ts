import { AccessDeniedError, DeadlineExceededError, NotLeaderError, TimeoutError } from '@eventstore/db-client';
import { UnfitEventStore } from './unfit-event-store.ts';

/** The status that gRPC gives to an unknown user or a wrong password. */
const UNAUTHENTICATED = 16;

export const PROTECT = 'npm run event-store -- protect';

/** What the checks of a start were doing when the server stopped answering. */
export type Step = 'reach' | 'append' | 'read';

export const deniedTo = (act: string, error: unknown): UnfitEventStore | undefined => {
  if (!(error instanceof AccessDeniedError)) return undefined;
  return new UnfitEventStore(
    'event_store_access_denied',
    error.code === UNAUTHENTICATED
      ? 'EventStoreDB does not accept the user and the password in EVENT_STORE_URL. Write special characters of a password as %XX.'
      : `EventStoreDB does not permit the user in EVENT_STORE_URL to ${act}. As an administrator, run: ${PROTECT} --user <name>`,
    { cause: error },
  );
};

export const deleted = (stream: string, cause: unknown): UnfitEventStore =>
  new UnfitEventStore(
    'event_store_limits_streams',
    `The stream ${stream} was deleted in EventStoreDB for good (a tombstone). Restore EventStoreDB from a backup.`,
    { cause },
  );

export const readOnly = (reason: string, cause?: unknown): UnfitEventStore =>
  new UnfitEventStore(
    'event_store_read_only',
    `EventStoreDB answers, and accepts no append: ${reason}. A majority of its nodes must run and reach each other, ` +
      'EVENT_STORE_URL must not name a read-only replica, and the disk of the nodes must have room.',
    { cause },
  );

const CERTIFICATE = /certificate|altnames/i;

export const unreachable = (error: unknown): UnfitEventStore => {
  const reason = reasonOf(error);
  const remedy = CERTIFICATE.test(reason)
    ? 'Let tlsCAFile in EVENT_STORE_URL name the certificate of the authority that signed the certificates of the nodes; they ' +
      'must name the addresses in EVENT_STORE_URL.'
    : 'Check that the nodes run, and EVENT_STORE_URL: a server without TLS needs tls=false there, any other must not have it.';
  return new UnfitEventStore('event_store_unreachable', `EventStoreDB cannot be reached: ${reason}. ${remedy}`, {
    cause: error,
  });
};

export const tooSlow = (step: Step, timeoutMs: number): UnfitEventStore => {
  const within = `within ${timeoutMs / 1000} s`;
  if (step === 'append') return readOnly(`none was confirmed ${within}`);
  return unreachable(new Error(step === 'reach' ? `no answer ${within}` : `the checks did not end ${within}`));
};

/** What gRPC and the client put around a message. */
const AROUND =
  /^14 UNAVAILABLE: No connection established\. Last error: (?:Error: )?|\s*Resolution note:\s*|^Could not recognize /g;

/** The reason in an error of the client, without a full stop. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof DeadlineExceededError || error instanceof TimeoutError) {
    return 'a majority of the nodes did not confirm it in time';
  }
  if (error instanceof NotLeaderError) return 'the node is not the leader';
  const text = error instanceof Error ? error.message || error.constructor.name : String(error);
  if (/wrong version number/.test(text)) return 'the server answers without TLS';
  return text.replaceAll(AROUND, '').replace(/[.\s]+$/, '');
};

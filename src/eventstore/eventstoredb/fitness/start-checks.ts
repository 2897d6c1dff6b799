import {
  AccessDeniedError,
  ANY,
  BACKWARDS,
  binaryEvent,
  END,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import { STARTS } from '../beside-log.ts';
import { deleted, deniedTo, PROTECT, readOnly, reasonOf, tooSlow, unreachable, type Step } from './refusals.ts';
import { UnfitEventStore } from './unfit-event-store.ts';

export type StartCheck = {
  readonly client: EventStoreDBClient;
  /** Of the names of our streams, such as `kissapi-1a2b3c4d.`. */
  readonly prefix: string;
  /** Streams of the log, by their names in EventStoreDB, whose metadata must not let events vanish. */
  readonly streams: readonly string[];
  /** Whether the connection has no TLS. Such a server has no users, and every client may do everything. */
  readonly insecure: boolean;
  /** The clock of this machine. */
  readonly now: () => Date;
  /** For all checks together. Default: 5 s. */
  readonly timeoutMs?: number;
};

export type FitEventStore = {
  readonly kind: 'fit';
  /** The server has no access control: for development only. */
  readonly insecure: boolean;
};

const TIMEOUT_MS = 5000;
/** An append of the log can be this large. EventStoreDB accepts 1 MiB unless it is configured otherwise. */
const LARGEST_APPEND_BYTES = 900_000;
const MAX_CLOCK_DIFFERENCE_MS = 30_000;
/** No stream ends at this revision, so what expects it changes nothing, whether it is permitted or not. */
const IMPOSSIBLE_REVISION = 2n ** 52n;
/** `$tb` of a deleted stream: the largest 64-bit integer, as a number of JSON. */
const DELETED = Number(2n ** 63n - 1n);
const METADATA_READS = 16;
/** The stream that the checks write to. Its events are not part of the log. */
export const startsOf = (prefix: string): string => `${prefix}${STARTS}`;

/**
 * What a gateway checks of an EventStoreDB before it uses it: that it is reachable, accepts appends as large as ours, has the
 * right time, limits none of our streams, and denies this user what would destroy events. Throws UnfitEventStore.
 */
export const checkEventStore = async (check: StartCheck): Promise<FitEventStore> => {
  const timeoutMs = check.timeoutMs ?? TIMEOUT_MS;
  const progress: Progress = { step: 'reach' };
  const { promise: watchdog, reject } = Promise.withResolvers<never>();
  // The deadlines of the client do not end an append or a read that the server never answers.
  const timer = setTimeout(() => reject(tooSlow(progress.step, timeoutMs)), timeoutMs);
  try {
    return await Promise.race([runChecks(check, progress), watchdog]);
  } finally {
    clearTimeout(timer);
  }
};

type Progress = { step: Step };

const runChecks = async (check: StartCheck, progress: Progress): Promise<FitEventStore> => {
  await reach(check);
  progress.step = 'append';
  const began = check.now();
  const revision = await appendStart(check);
  const ended = check.now();
  await checkAppendLimit(check);
  progress.step = 'read';
  checkClock(await timeOf(check, revision), began, ended);
  await checkReadAll(check);
  await checkMetadata(check);
  if (!check.insecure) await checkDenials(check);
  return { kind: 'fit', insecure: check.insecure };
};

/** A read, which a node also answers that accepts no appends. */
const reach = async ({ client, prefix }: StartCheck): Promise<void> => {
  try {
    await client.getStreamMetadata(startsOf(prefix));
  } catch (error) {
    throw deniedTo('read the streams of the log', error) ?? unreachable(error);
  }
};

const appendStart = async ({ client, prefix }: StartCheck): Promise<bigint> => {
  const start = binaryEvent({ type: 'start', data: Buffer.alloc(0) });
  try {
    return (await client.appendToStream(startsOf(prefix), start, { expectedRevision: ANY })).nextExpectedRevision;
  } catch (error) {
    if (error instanceof StreamDeletedError) throw deleted(startsOf(prefix), error);
    throw deniedTo('append to the streams of the log', error) ?? readOnly(reasonOf(error), error);
  }
};

const checkAppendLimit = async ({ client, prefix }: StartCheck): Promise<void> => {
  const large = binaryEvent({ type: 'start', data: Buffer.alloc(LARGEST_APPEND_BYTES) });
  const outcome = await outcomeOf(
    client.appendToStream(startsOf(prefix), large, { expectedRevision: IMPOSSIBLE_REVISION }),
  );
  switch (outcome.kind) {
    case 'permitted':
      return;
    case 'too-large':
      throw new UnfitEventStore(
        'event_store_append_limit',
        `EventStoreDB refuses an append of ${LARGEST_APPEND_BYTES} bytes, and the log needs appends of that size. ` +
          'Remove MaxAppendSize from eventstore.conf of each node (the default is 1048576), and restart the nodes one by one.',
        { cause: outcome.error },
      );
    case 'denied':
      throw deniedTo('append to the streams of the log', outcome.error) ?? readOnly(reasonOf(outcome.error));
    case 'failed':
      throw readOnly(reasonOf(outcome.error), outcome.error);
  }
};

const timeOf = async ({ client, prefix }: StartCheck, revision: bigint): Promise<Date | undefined> => {
  let created: Date | undefined;
  try {
    // Read to its end: leaving the loop early cancels the call, and the client then replaces its connection.
    for await (const { event } of client.readStream(startsOf(prefix), { fromRevision: revision, maxCount: 1 })) {
      created = event?.created;
    }
    return created;
  } catch (error) {
    throw deniedTo('read the streams of the log', error) ?? unreachable(error);
  }
};

const checkClock = (created: Date | undefined, began: Date, ended: Date): void => {
  if (!created) {
    throw new UnfitEventStore(
      'event_store_unreachable',
      'EventStoreDB confirmed an append, and the event is not in its stream. The connection string must name nodes of one ' +
        'cluster, with nodePreference=leader.',
    );
  }
  const behindMs = began.getTime() - created.getTime();
  const aheadMs = created.getTime() - ended.getTime();
  const differsMs = Math.max(behindMs, aheadMs);
  if (differsMs <= MAX_CLOCK_DIFFERENCE_MS) return;
  throw new UnfitEventStore(
    'event_store_clock_differs',
    `The clock of EventStoreDB is ${Math.round(differsMs / 1000)} s ${aheadMs > behindMs ? 'ahead of' : 'behind'} the clock of ` +
      `this machine; at most ${MAX_CLOCK_DIFFERENCE_MS / 1000} s are accepted. Synchronise both with NTP.`,
  );
};

/** The copy of the log is made from `$all`, which a server shows only to administrators at first. */
const checkReadAll = async ({ client }: StartCheck): Promise<void> => {
  try {
    for await (const { event } of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) void event;
  } catch (error) {
    throw deniedTo('read $all', error) ?? unreachable(error);
  }
};

const checkMetadata = async ({ client, prefix, streams }: StartCheck): Promise<void> => {
  const names = ['$all', startsOf(prefix), ...streams];
  for (let from = 0; from < names.length; from += METADATA_READS) {
    await Promise.all(names.slice(from, from + METADATA_READS).map((name) => checkLimits(client, name)));
  }
};

const checkLimits = async (client: EventStoreDBClient, name: string): Promise<void> => {
  let metadata: Readonly<Record<string, unknown>>;
  try {
    metadata = (await client.getStreamMetadata(name)).metadata ?? {};
  } catch (error) {
    if (error instanceof StreamDeletedError) throw deleted(name, error);
    if (error instanceof StreamNotFoundError) return;
    throw deniedTo(`read the metadata of ${name}`, error) ?? unreachable(error);
  }
  const limits = Object.entries({
    $maxAge: metadata['maxAge'],
    $maxCount: metadata['maxCount'],
    $tb: metadata['truncateBefore'] === DELETED ? 'the end (the stream was deleted)' : metadata['truncateBefore'],
  }).flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${String(value)}`]));
  if (limits.length === 0) return;
  throw new UnfitEventStore(
    'event_store_limits_streams',
    `The metadata of the stream ${name} in EventStoreDB has ${limits.join(' and ')}, which hides events and lets a scavenge ` +
      'delete them. Run no scavenge. As an administrator, write the metadata again without it, and find out what set it.',
  );
};

/** Each is tried at an impossible revision: a server that permits it answers that the revision is wrong. */
const checkDenials = async ({ client, prefix }: StartCheck): Promise<void> => {
  const stream = startsOf(prefix);
  const expectedRevision = IMPOSSIBLE_REVISION;
  const acts: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['delete streams', () => client.deleteStream(stream, { expectedRevision })],
    ['tombstone streams', () => client.tombstoneStream(stream, { expectedRevision })],
    ['set the metadata of streams', () => client.setStreamMetadata(stream, { maxCount: 1 }, { expectedRevision })],
  ];
  const permitted: string[] = [];
  for (const [act, attempt] of acts) {
    const outcome = await outcomeOf(attempt());
    if (outcome.kind === 'permitted') permitted.push(act);
    else if (outcome.kind !== 'denied') throw unreachable(outcome.error);
  }
  if (permitted.length === 0) return;
  throw new UnfitEventStore(
    'event_store_unprotected',
    `The user in EVENT_STORE_URL may ${permitted.join(', ')}, and a gateway must only append and read: with its password, ` +
      'an attacker could destroy the log. Create a user without groups for the gateways, let EVENT_STORE_URL name it, and as ' +
      `an administrator run: ${PROTECT} --user <name>`,
  );
};

type Outcome =
  | { readonly kind: 'permitted' }
  | { readonly kind: 'denied'; readonly error: unknown }
  | { readonly kind: 'too-large'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

const outcomeOf = async (attempt: Promise<unknown>): Promise<Outcome> => {
  try {
    await attempt;
    return { kind: 'permitted' };
  } catch (error) {
    if (error instanceof WrongExpectedVersionError) return { kind: 'permitted' };
    if (error instanceof AccessDeniedError) return { kind: 'denied', error };
    if (error instanceof MaxAppendSizeExceededError) return { kind: 'too-large', error };
    return { kind: 'failed', error };
  }
};

/** Whether an address of EventStoreDB has no TLS. The client reads the names of options without case, `-` and `_`. */
export const isInsecure = (eventStoreUrl: string): boolean =>
  [...new URLSearchParams(eventStoreUrl.split('?').slice(1).join('&'))].some(
    ([name, value]) => name.trim().toLowerCase().replace(/[_-]/g, '') === 'tls' && value.trim() === 'false',
  );

import {
  AccessDeniedError,
  BACKWARDS,
  END,
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  StreamDeletedError,
  StreamNotFoundError,
} from '@eventstore/db-client';
import { NoAnswer, within } from '../connection/client-faults.ts';
import { reasonOf } from './refusals.ts';
import { checkEventStore, isInsecure, type FitEventStore } from './start-checks.ts';

type Json = Readonly<Record<string, unknown>>;

/** Fault: access could not be set. The message has the cause and the remedy. */
export class EventStoreNotProtected extends Error {
  override readonly name = 'EventStoreNotProtected';
  readonly code = 'event_store_not_protected';
}

export type Protection = {
  /** What the command changed; the rest was as it should be. */
  readonly changed: readonly ('default-acl' | 'acl-of-all')[];
  /** Other users and groups that may append to streams of users. */
  readonly othersMayAppend: readonly string[];
  /** Other users and groups that may delete streams of users or set their metadata: named so before, and kept. */
  readonly othersMayDelete: readonly string[];
};

const ADMINS = '$admins';
/** As a role: every user. */
const EVERY_USER = '$all';
const APPEND_AND_READ = ['$r', '$w', '$mr'] as const;
const DESTROY = ['$d', '$mw'] as const;

const SETTINGS = '$settings';
const METADATA_OF_ALL = '$$$all';

const NO_ACCESS_CONTROL =
  'EventStoreDB without TLS (tls=false) has no users and no access control, so nothing can be protected there.';
const TIMEOUT_MS = 10_000;
const DISPOSE_MS = 1000;

/** Users and groups, of which EventStoreDB stores one or several, or none for its default. */
const rolesIn = (roles: unknown): readonly string[] => {
  const all: readonly unknown[] = Array.isArray(roles) ? roles : [roles];
  return all.filter((role): role is string => typeof role === 'string');
};
const recordIn = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** The roles of an ACL with this user and the administrators, and no longer with every user. */
const withUser = (roles: unknown, user: string): readonly string[] => [
  ...new Set([ADMINS, user, ...rolesIn(roles).filter((role) => role !== EVERY_USER)]),
];
const withoutUser = (roles: unknown, user: string): readonly string[] => [
  ...new Set([ADMINS, ...rolesIn(roles).filter((role) => role !== EVERY_USER && role !== user)]),
];

/** The settings of the server with a default ACL by which this user appends and reads, and cannot destroy. */
export const protectedSettings = (settings: Json, user: string): Json => {
  const acl = recordIn(settings['$userStreamAcl']);
  return {
    ...settings,
    $userStreamAcl: {
      ...acl,
      ...Object.fromEntries(APPEND_AND_READ.map((key) => [key, withUser(acl[key], user)])),
      ...Object.fromEntries(DESTROY.map((key) => [key, withoutUser(acl[key], user)])),
    },
  };
};

/** The metadata of `$all` with an ACL by which this user reads it. What is absent is for administrators only. */
export const protectedMetadataOfAll = (metadata: Json, user: string): Json => {
  const acl = recordIn(metadata['$acl']);
  const others = Object.fromEntries(
    ['$w', ...DESTROY].filter((key) => key in acl).map((key) => [key, withoutUser(acl[key], user)]),
  );
  return {
    ...metadata,
    $acl: { ...acl, ...others, $r: withUser(acl['$r'], user), $mr: withUser(acl['$mr'], user) },
  };
};

/** Sets access on the EventStoreDB at `url`, which has an administrator. Throws EventStoreNotProtected. */
export const protectEventStore = (url: string, user: string): Promise<Protection> =>
  withClient(url, (client) => {
    if (isInsecure(url)) throw new EventStoreNotProtected(NO_ACCESS_CONTROL);
    return protect(client, user);
  });

/**
 * Sets the default ACL of user streams and the ACL of `$all` so that the user appends and reads, and only administrators
 * delete streams and set metadata. Keeps other users and other settings. Throws EventStoreNotProtected.
 */
export const protect = async (client: EventStoreDBClient, user: string): Promise<Protection> => {
  await checkUser(client, user);
  const changed: Protection['changed'][number][] = [];
  const settings = await newest(client, SETTINGS);
  if (await write(client, settings, protectedSettings(settings.data, user), 'update-default-acl')) {
    changed.push('default-acl');
  }
  const metadata = await newest(client, METADATA_OF_ALL);
  if (await write(client, metadata, protectedMetadataOfAll(metadata.data, user), '$metadata')) {
    changed.push('acl-of-all');
  }
  await confirm(client, user);
  const acl = recordIn((await newest(client, SETTINGS)).data['$userStreamAcl']);
  const othersIn = (...keys: readonly string[]): readonly string[] => [
    ...new Set(keys.flatMap((key) => rolesIn(acl[key])).filter((role) => role !== ADMINS && role !== user)),
  ];
  return { changed, othersMayAppend: othersIn('$w'), othersMayDelete: othersIn(...DESTROY) };
};

/** Runs the start checks of a gateway once, on streams of their own. Throws UnfitEventStore. */
export const tryEventStore = (url: string, now: () => Date): Promise<FitEventStore> =>
  withClient(url, (client) =>
    checkEventStore({ client, prefix: 'kissapi-check.', streams: [], insecure: isInsecure(url), now }),
  );

const withClient = async <T>(url: string, use: (client: EventStoreDBClient) => Promise<T>): Promise<T> => {
  const client = clientOf(url);
  try {
    return await within(TIMEOUT_MS, 'a change of access', use(client));
  } catch (error) {
    throw error instanceof NoAnswer ? new EventStoreNotProtected(`${error.message}.`, { cause: error }) : error;
  } finally {
    await within(DISPOSE_MS, 'the end of a connection', client.dispose()).catch(() => undefined);
  }
};

const clientOf = (url: string): EventStoreDBClient => {
  try {
    return EventStoreDBClient.connectionString(url);
  } catch (cause) {
    // The message of the client can repeat a part of the password.
    throw new EventStoreNotProtected(
      /certificate/i.test(String(cause))
        ? 'The file of tlsCAFile in the address of EventStoreDB does not exist.'
        : 'The address of EventStoreDB must be like esdb://user:password@host:2113?tlsCAFile=/path/ca.crt, with special ' +
            'characters of the password as %XX.',
      { cause },
    );
  }
};

/** A group can permit what the ACLs deny, so the user must be in none. */
const checkUser = async (client: EventStoreDBClient, user: string): Promise<void> => {
  const { data, revision } = await newest(client, `$user-${user}`);
  if (revision === undefined || data['disabled'] === true) {
    throw new EventStoreNotProtected(`EventStoreDB has no enabled user ${user}. Create it first.`);
  }
  const groups = rolesIn(data['groups']);
  if (groups.length === 0) return;
  throw new EventStoreNotProtected(
    `The user ${user} is in the group ${groups.join(' and the group ')}, and an append-only user must be in none. Create ` +
      'another user, with "groups": [].',
  );
};

type Document = { readonly stream: string; readonly revision: bigint | undefined; readonly data: Json };

/** The newest event of a stream whose events each replace the one before. */
const newest = async (client: EventStoreDBClient, stream: string): Promise<Document> => {
  let document: Document = { stream, revision: undefined, data: {} };
  try {
    const events = client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
    for await (const { event } of events) {
      if (event) document = { stream, revision: event.revision, data: event.isJson ? recordIn(event.data) : {} };
    }
  } catch (error) {
    if (!(error instanceof StreamNotFoundError || error instanceof StreamDeletedError)) throw inWords(error);
  }
  return document;
};

const write = async (client: EventStoreDBClient, before: Document, data: Json, type: string): Promise<boolean> => {
  if (isSame(before.data, data)) return false;
  try {
    await client.appendToStream(before.stream, jsonEvent({ type, data }), {
      expectedRevision: before.revision ?? NO_STREAM,
    });
  } catch (error) {
    throw inWords(error);
  }
  return true;
};

const confirm = async (client: EventStoreDBClient, user: string): Promise<void> => {
  const settings = await newest(client, SETTINGS);
  const metadata = await newest(client, METADATA_OF_ALL);
  if (
    isSame(settings.data, protectedSettings(settings.data, user)) &&
    isSame(metadata.data, protectedMetadataOfAll(metadata.data, user))
  ) {
    return;
  }
  throw new EventStoreNotProtected(
    'EventStoreDB confirmed the change, but its ACLs read back are not the ones that were written. Run the command again; if ' +
      'this message stays, another program changes them.',
  );
};

/** Whether two documents say the same: the order of fields and of roles does not matter. */
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted).toSorted();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
};

const inWords = (error: unknown): EventStoreNotProtected =>
  new EventStoreNotProtected(
    error instanceof AccessDeniedError
      ? 'EventStoreDB denies it: the address must have the user and the password of an administrator (a member of $admins).'
      : `EventStoreDB cannot be reached: ${reasonOf(error)}.`,
    { cause: error },
  );

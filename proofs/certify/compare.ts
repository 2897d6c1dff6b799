import type { AccountEvent } from '../../src/domain/account/events.ts';
import { formatUsd, parseUsd } from '../../src/domain/money.ts';
import { audit, type Books } from '../../test/reference/audit-history.ts';
import type { Acknowledged } from './record.ts';

/** Each finding is a sentence about one violation. */
export type Findings = {
  /** Acknowledged, but not in the log. */
  readonly lost: string[];
  /** In the log more than once, acknowledged or not. */
  readonly doubled: string[];
  /** In the log, but different from what was acknowledged. */
  readonly differing: string[];
  readonly openHolds: string[];
  /** Books that are inconsistent, or views that disagree with them. */
  readonly broken: string[];
};

/** The events of each account in the log. */
export type Histories = ReadonlyMap<string, readonly AccountEvent[]>;

export type Compared = { readonly findings: Findings; readonly books: ReadonlyMap<string, Books> };

type Event<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
type Charge = Event<'HoldSettled' | 'LateUsageCharged'>;
type Grant = Event<'CreditsToppedUp'>;

/** The events that the record can be compared with, by the identifiers that a client has. */
type Index = {
  readonly charges: Map<string, Charge[]>;
  readonly grants: Map<string, Grant[]>;
  readonly keys: Map<string, Event<'KeyIssued'>[]>;
  readonly revocations: Map<string, Event<'KeyRevoked'>[]>;
};

const put = <T>(map: Map<string, T[]>, key: string, value: T): void => {
  const there = map.get(key);
  if (there) there.push(value);
  else map.set(key, [value]);
};

const indexOf = (accountId: string, events: readonly AccountEvent[], index: Index): void => {
  for (const event of events) {
    if (event.type === 'HoldSettled' || event.type === 'LateUsageCharged') {
      put(index.charges, `${accountId} ${event.requestId}`, event);
    } else if (event.type === 'CreditsToppedUp' && event.source.kind === 'grant') {
      // By reason, which is unique for each grant. The lot is derived from the idempotency key, so it could not reveal
      // a duplicate.
      put(index.grants, `${accountId} ${event.source.reason}`, event);
    } else if (event.type === 'KeyIssued') {
      put(index.keys, `${accountId} ${event.name}`, event);
    } else if (event.type === 'KeyRevoked') {
      put(index.revocations, `${accountId} ${event.keyId}`, event);
    }
  }
};

/** Compares the acknowledged record with the log, and checks the log against its own rules. */
export const compare = (record: readonly Acknowledged[], histories: Histories): Compared => {
  const findings: Findings = { lost: [], doubled: [], differing: [], openHolds: [], broken: [] };
  const index: Index = { charges: new Map(), grants: new Map(), keys: new Map(), revocations: new Map() };
  const books = new Map<string, Books>();
  for (const [accountId, events] of histories) {
    indexOf(accountId, events, index);
    try {
      const own = audit(events);
      books.set(accountId, own);
      for (const requestId of own.holds.keys()) findings.openHolds.push(`${accountId}: ${requestId}`);
    } catch (error) {
      // The message contains the whole history and can be long.
      findings.broken.push(`${accountId}: ${String(error).slice(0, 1000)}`);
    }
  }
  for (const [what, map] of Object.entries(index) as [keyof Index, Map<string, unknown[]>][]) {
    for (const [key, events] of map) {
      if (events.length > 1) findings.doubled.push(`${what}: ${key} is in the log ${events.length} times`);
    }
  }
  for (const one of record) hold(one, index, findings);
  return { findings, books };
};

const hold = (one: Acknowledged, index: Index, { lost, differing }: Findings): void => {
  const told = JSON.stringify(one);
  const expectSame = (logged: string | undefined, expected: string): void => {
    if (logged === undefined) lost.push(told);
    else if (logged !== expected) differing.push(`${told}, but the log says ${logged}`);
  };
  const { accountId } = one;
  switch (one.what) {
    case 'completion': {
      const charge = index.charges.get(`${accountId} ${one.generationId}`)?.[0];
      return expectSame(charge && formatUsd(charge.charged), one.costUsd);
    }
    case 'grant': {
      const grant = index.grants.get(`${accountId} ${one.reason}`)?.[0];
      return expectSame(grant && formatUsd(grant.amount), formatUsd(parseUsd(one.usd) ?? -1n));
    }
    case 'key':
      return expectSame(index.keys.get(`${accountId} ${one.name}`)?.[0]?.keyId, one.keyId);
    case 'revocation':
      return expectSame(index.revocations.get(`${accountId} ${one.keyId}`)?.[0]?.keyId, one.keyId);
  }
};

export const merged = (all: readonly Findings[]): Findings => ({
  lost: all.flatMap(({ lost }) => lost),
  doubled: all.flatMap(({ doubled }) => doubled),
  differing: all.flatMap(({ differing }) => differing),
  openHolds: all.flatMap(({ openHolds }) => openHolds),
  broken: all.flatMap(({ broken }) => broken),
});

export const isClean = (findings: Findings): boolean => Object.values(findings).every((found) => found.length === 0);

import { hash } from 'node:crypto';
import { isWellFormed, newToken, type RandomBytes, type TokenFormat } from '../eventstore/secrets/token-format.ts';
import { agentFamily } from './agent-family.ts';
import type { IdentityDatabase } from './database.ts';
import { networkPrefix } from './network-prefix.ts';

export type SessionKind = 'customer' | 'staff';

export type Session = {
  /** `ses_…`. Not the token, and of no use to sign in. */
  readonly id: string;
  readonly personId: string;
  readonly kind: SessionKind;
  readonly createdAt: Date;
  /** To the minute. */
  readonly seenAt: Date;
  readonly endsAt: Date;
  /** When the second step was passed; null if it was not. */
  readonly secondStepAt: Date | null;
  /** Such as `203.0.113.0/24`; null if the address is unknown. */
  readonly network: string | null;
  /** Such as "Firefox on Linux"; null if the browser is unknown. */
  readonly agent: string | null;
};

export type NewSession = {
  readonly personId: string;
  readonly kind: SessionKind;
  /** The sign-in was a second step as well, such as a passkey whose authenticator has verified the user. */
  readonly passesSecondStep?: boolean;
  /** The IP address and the `User-Agent` of the request. Only their families are stored. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
};

export type Sessions = {
  /** The token is in no table: it must be handed to the browser now. */
  create(session: NewSession): Promise<{ readonly token: string; readonly session: Session }>;
  /** The session of a token; undefined if it has ended, was revoked, or never existed. */
  find(token: string): Promise<Session | undefined>;
  /** Those that have not ended; the one that was seen last is first. */
  list(personId: string): Promise<readonly Session[]>;
  /** Marks a session. False if it has ended. */
  passSecondStep(sessionId: string): Promise<boolean>;
  /** False if the person has no such session. */
  revoke(personId: string, sessionId: string): Promise<boolean>;
  /** Revokes all sessions of a person except one, and resolves to their ids. */
  revokeAll(personId: string, except?: string): Promise<readonly string[]>;
  /** Revokes all sessions of a person that were created until then. */
  revokeBefore(personId: string, until: Date): Promise<void>;
  /** Resolves to the number of deleted rows. */
  deleteExpired(): Promise<number>;
};

export type SessionsOptions = {
  readonly database: IdentityDatabase;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
};

/** 43 characters are more than 256 bits. */
const FORMAT: TokenFormat = { prefix: 'kiss_ses_', randomCharacters: 43 };
const HOUR_MS = 3_600_000;
/** From sign-in on; use does not prolong a session. */
const LIFETIME_MS: Readonly<Record<SessionKind, number>> = { customer: 30 * 24 * HOUR_MS, staff: 12 * HOUR_MS };
const TOUCH_AFTER_MS = 60_000;

const COLUMNS = `id, person_id as "personId", kind, created_at as "createdAt", seen_at as "seenAt", ends_at as "endsAt",
  second_step_at as "secondStepAt", network, agent`;

/** A look-up by hash reveals nothing about other tokens by its timing. */
const hashOf = (token: string): Buffer => hash('sha256', token, 'buffer');

export const createSessions = ({ database, now, randomBytes }: SessionsOptions): Sessions => {
  const { query } = database;
  return {
    create: async ({ personId, kind, passesSecondStep = false, address = '', userAgent = '' }) => {
      const token = newToken(FORMAT, randomBytes);
      const [at, id] = [now(), `ses_${randomBytes(12).toString('hex')}`];
      const endsAt = new Date(at.getTime() + LIFETIME_MS[kind]);
      const [session] = await query<Session>(
        `insert into sessions (hash, id, person_id, kind, created_at, seen_at, ends_at, second_step_at, network, agent)
         values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9) returning ${COLUMNS}`,
        [
          ...[hashOf(token), id, personId, kind, at, endsAt, passesSecondStep ? at : null],
          ...[networkPrefix(address), agentFamily(userAgent)],
        ],
      );
      if (!session) throw new Error('An insert returns its row.');
      return { token, session };
    },
    find: async (token) => {
      if (!isWellFormed(FORMAT, token)) return undefined;
      const at = now();
      const [session] = await query<Session>(`select ${COLUMNS} from sessions where hash = $1 and ends_at > $2`, [
        ...[hashOf(token), at],
      ]);
      const touchBefore = new Date(at.getTime() - TOUCH_AFTER_MS);
      if (!session || session.seenAt > touchBefore) return session;
      // Of requests at the same time, one writes.
      await query('update sessions set seen_at = $2 where id = $1 and seen_at <= $3', [session.id, at, touchBefore]);
      return { ...session, seenAt: at };
    },
    list: (personId) =>
      query<Session>(
        `select ${COLUMNS} from sessions where person_id = $1 and ends_at > $2 order by seen_at desc, created_at desc, id`,
        [personId, now()],
      ),
    passSecondStep: async (sessionId) => {
      const rows = await query(`update sessions set second_step_at = $2 where id = $1 and ends_at > $2 returning id`, [
        sessionId,
        now(),
      ]);
      return rows.length > 0;
    },
    revoke: async (personId, sessionId) =>
      (await query('delete from sessions where person_id = $1 and id = $2 returning id', [personId, sessionId]))
        .length > 0,
    revokeAll: async (personId, except = '') => {
      const rows = await query<{ id: string; live: boolean }>(
        'delete from sessions where person_id = $1 and id <> $2 returning id, ends_at > $3 as live',
        [personId, except, now()],
      );
      return rows.filter(({ live }) => live).map(({ id }) => id);
    },
    revokeBefore: async (personId, until) => {
      await query('delete from sessions where person_id = $1 and created_at <= $2', [personId, until]);
    },
    deleteExpired: async () => (await query('delete from sessions where ends_at <= $1 returning id', [now()])).length,
  };
};

import type { DataKeys } from '../eventstore/secrets/data-keys.ts';
import type { RandomBytes } from '../eventstore/secrets/token-format.ts';
import { createAttemptLimits, type AttemptLimits } from './attempt-limits.ts';
import { createIdentityDatabase } from './database.ts';
import { deletePerson } from './delete-person.ts';
import { createOneTimeCodes, type OneTimeCodes } from './one-time-codes.ts';
import { createPasskeys, type Passkeys } from './passkeys/passkeys.ts';
import { createPendingRegistrations, type PendingRegistrations } from './pending-registrations.ts';
import { createRecoveryCodes, type RecoveryCodes } from './recovery-codes.ts';
import { createSearchTerms, type SearchTerms } from './search-terms.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { createTotp, type Totp } from './totp.ts';

/** The secrets of persons, in tables beside the log. Must be closed. */
export type Identity = {
  readonly sessions: Sessions;
  readonly oneTimeCodes: OneTimeCodes;
  readonly passkeys: Passkeys;
  readonly totp: Totp;
  readonly recoveryCodes: RecoveryCodes;
  readonly tokens: Tokens;
  readonly attemptLimits: AttemptLimits;
  readonly searchTerms: SearchTerms;
  readonly pendingRegistrations: PendingRegistrations;
  /** Deletes all rows of a person: see delete-person.ts. */
  deletePerson(personId: string): Promise<void>;
  /** Deletes what has ended, in every table. To be called now and then, by any node; resolves to the number of rows. */
  deleteExpired(): Promise<number>;
  close(): Promise<void>;
};

export type IdentityOptions = {
  /** Must have the tables of `migrateIdentity`. */
  readonly databaseUrl: string;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
  readonly dataKeys: DataKeys;
  /** `oneTimeCodes` of the shared secrets. */
  readonly oneTimeCodesSecret: string;
  /** `identities` of the shared secrets. */
  readonly identitiesSecret: string;
  /** `PUBLIC_URL`. */
  readonly publicUrl: () => string;
  /** Shown by authenticators. */
  readonly serviceName: string;
};

export const createIdentity = ({ databaseUrl, oneTimeCodesSecret: secret, ...given }: IdentityOptions): Identity => {
  const database = createIdentityDatabase(databaseUrl);
  const options = { ...given, database, secret };
  const [sessions, oneTimeCodes, passkeys] = [
    createSessions(options),
    createOneTimeCodes(options),
    createPasskeys(options),
  ];
  const [tokens, attemptLimits] = [createTokens(options), createAttemptLimits(options)];
  const expiring = [sessions, oneTimeCodes, passkeys, tokens, attemptLimits];
  return {
    ...{ sessions, oneTimeCodes, passkeys, tokens, attemptLimits },
    totp: createTotp(options),
    recoveryCodes: createRecoveryCodes(options),
    searchTerms: createSearchTerms(options),
    pendingRegistrations: createPendingRegistrations(options),
    deletePerson: (personId) => deletePerson(database, personId),
    deleteExpired: async () => {
      let deleted = 0;
      for (const one of expiring) deleted += await one.deleteExpired();
      return deleted;
    },
    close: database.close,
  };
};

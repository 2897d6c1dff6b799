import { hash } from 'node:crypto';
import type { RandomBytes } from '../../eventstore/secrets/token-format.ts';
import type { IdentityDatabase } from '../database.ts';

export type ChallengesOptions = {
  readonly database: IdentityDatabase;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
};

export const CHALLENGE_TTL_MS = 300_000;

/** Which person the challenge is for, if known, and whether the authenticator must verify the user. */
type Asked = { readonly personId: string | null; readonly verifyUser: boolean };
type Purpose = 'register' | 'sign_in';

/** Challenges for authenticators. Each is accepted once, within `CHALLENGE_TTL_MS`. */
export const createChallenges = ({ database: { query }, now, randomBytes }: ChallengesOptions) => ({
  create: async (purpose: Purpose, { personId, verifyUser }: Asked): Promise<Uint8Array<ArrayBuffer>> => {
    const challenge = new Uint8Array(randomBytes(32));
    const text = Buffer.from(challenge).toString('base64url');
    await query(
      'insert into passkey_challenges (hash, purpose, person_id, verify_user, ends_at) values ($1, $2, $3, $4, $5)',
      [hash('sha256', text, 'buffer'), purpose, personId, verifyUser, new Date(now().getTime() + CHALLENGE_TTL_MS)],
    );
    return challenge;
  },
  take: async (purpose: Purpose, challenge: string): Promise<Asked | undefined> => {
    const [taken] = await query<Asked>(
      `delete from passkey_challenges where hash = $1 and purpose = $2 and ends_at > $3
       returning person_id as "personId", verify_user as "verifyUser"`,
      [hash('sha256', challenge, 'buffer'), purpose, now()],
    );
    return taken;
  },
  deleteExpired: async (): Promise<number> =>
    (await query('delete from passkey_challenges where ends_at <= $1 returning hash', [now()])).length,
});

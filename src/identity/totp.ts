import { generateURI, ScureBase32Plugin, verifySync } from 'otplib';
import type { DataKeys } from '../eventstore/secrets/data-keys.ts';
import { openBytes, sealBytes } from '../eventstore/secrets/sealed-bytes.ts';
import type { RandomBytes } from '../eventstore/secrets/token-format.ts';
import type { IdentityDatabase } from './database.ts';

/** What an authenticator app is given: the seed in base 32, and the same in a URI for a QR code. */
export type TotpSeed = { readonly secret: string; readonly uri: string };

/** One-time passwords by time (RFC 6238): SHA-1, six digits, 30 seconds. */
export type Totp = {
  /**
   * A new seed, to be shown now. It counts once a code of it confirms it; until then an earlier one remains in force. Rejects
   * with DestroyedKey if the person was erased.
   */
  enrol(personId: string, label: string): Promise<TotpSeed>;
  /** True if the code is of the new seed, which replaces the earlier one. */
  confirm(personId: string, code: string): Promise<boolean>;
  /** Each code is accepted once. Accepts one step of drift in both directions. */
  verify(personId: string, code: string): Promise<{ readonly kind: 'passed' | 'wrong' | 'not_enrolled' }>;
  isEnrolled(personId: string): Promise<boolean>;
  /** False if the person has no seed. */
  remove(personId: string): Promise<boolean>;
};

export type TotpOptions = {
  readonly database: IdentityDatabase;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
  /** Seeds are sealed under the key of their person, and are erased with it. */
  readonly dataKeys: DataKeys;
  /** Shown by the app. */
  readonly serviceName: string;
};

/** 160 bits, as RFC 4226 recommends. */
const SEED_BYTES = 20;
const STEP_S = 30;

const contextOf = (personId: string): string => `kissapi totp-seed v1\n${personId}`;

export const createTotp = ({ database: { query }, now, randomBytes, dataKeys, serviceName }: TotpOptions): Totp => {
  const base32 = new ScureBase32Plugin();

  /** The time step of a code; undefined if it is wrong. */
  const stepOf = (seed: Buffer, code: string): number | undefined => {
    const token = code.replace(/\s/g, '');
    if (!/^\d{6}$/.test(token)) return undefined;
    const epoch = Math.floor(now().getTime() / 1000);
    const result = verifySync({ strategy: 'totp', secret: seed, token, epoch, period: STEP_S, epochTolerance: STEP_S });
    return result.valid && 'timeStep' in result ? result.timeStep : undefined;
  };
  const open = async (personId: string, sealed: Buffer | null | undefined): Promise<Buffer | undefined> => {
    const key = sealed && (await dataKeys.find(personId));
    return key ? openBytes(key, sealed, contextOf(personId)) : undefined;
  };
  const find = async (personId: string) => {
    const text = 'select sealed, pending from totp_seeds where person_id = $1';
    return (await query<{ sealed: Buffer | null; pending: Buffer | null }>(text, [personId]))[0];
  };

  return {
    enrol: async (personId, label) => {
      const seed = randomBytes(SEED_BYTES);
      const pending = sealBytes(await dataKeys.obtain(personId), seed, contextOf(personId));
      await query(
        `insert into totp_seeds (person_id, pending) values ($1, $2)
         on conflict (person_id) do update set pending = excluded.pending`,
        [personId, pending],
      );
      const secret = base32.encode(seed, { padding: false });
      return { secret, uri: generateURI({ strategy: 'totp', issuer: serviceName, label, secret }) };
    },
    confirm: async (personId, code) => {
      const pending = (await find(personId))?.pending;
      const seed = await open(personId, pending);
      const step = seed && stepOf(seed, code);
      if (step === undefined) return false;
      const confirmed = await query(
        `update totp_seeds set sealed = pending, pending = null, last_step = $3, confirmed_at = $4
         where person_id = $1 and pending = $2 returning person_id`,
        [personId, pending, step, now()],
      );
      return confirmed.length > 0;
    },
    verify: async (personId, code) => {
      const sealed = (await find(personId))?.sealed;
      const seed = await open(personId, sealed);
      if (!seed) return { kind: 'not_enrolled' };
      const step = stepOf(seed, code);
      if (step === undefined) return { kind: 'wrong' };
      // Of the same code on several nodes, one passes.
      const passed = await query(
        `update totp_seeds set last_step = $3 where person_id = $1 and sealed = $2 and last_step < $3 returning person_id`,
        [personId, sealed, step],
      );
      return { kind: passed.length > 0 ? 'passed' : 'wrong' };
    },
    isEnrolled: async (personId) => ((await find(personId))?.sealed ?? null) !== null,
    remove: async (personId) =>
      (await query('delete from totp_seeds where person_id = $1 returning person_id', [personId])).length > 0,
  };
};

import type { Logger } from 'pino';
import { checkedMasterKeys, type MasterKeys } from '../eventstore/secrets/data-keys.ts';
import { isKnownAs, type CheckedSecret } from '../eventstore/secrets/secret-checks.ts';
import type { NoticedSigningKey } from '../eventstore/secrets/signing-keys.ts';
import type { AcceptedSecrets } from '../reactions/runs/runs.ts';

/** Hashes API keys; see `Pepper` of the keyring. */
type Pepper = { readonly id: string; readonly secret: string };

/** The secrets that can be rotated, each with its predecessors: the newest first. */
export type Secrets = { readonly peppers: readonly [Pepper, ...Pepper[]]; readonly masterKeys: MasterKeys };

/** Each secret under its id, for the comparison with the secrets of the other nodes. */
export const checkedSecrets = ({ peppers, masterKeys }: Secrets): readonly CheckedSecret[] => [
  ...peppers.map(({ id, secret }, n): CheckedSecret => {
    const remedy =
      'Set it to the one that the other gateways have. To change the pepper, give the new one an id of its own with ' +
      'KISSAPI_KEY_PEPPER_ID, and keep the old one in KISSAPI_KEY_PEPPERS_OLD.';
    return n === 0
      ? { kind: 'key_pepper', id, secret, variable: 'KISSAPI_KEY_PEPPER', remedy }
      : { kind: 'key_pepper', id, secret, variable: `KISSAPI_KEY_PEPPERS_OLD (${id})`, remedy };
  }),
  ...checkedMasterKeys(masterKeys),
];

/** The pepper for new keys and the master key for new accounts. */
export type SecretsInUse = {
  readonly pepperId: string;
  readonly masterKeyId: string;
  /** The ids that this node states in its heartbeat. */
  readonly accepts: AcceptedSecrets;
  /** To be called when the secrets that all running nodes accept have changed. */
  update(accepted: AcceptedSecrets): void;
};

/**
 * Until every running node accepts the newest secret, the node uses an older one; the oldest if the others are unknown.
 */
export const createSecretsInUse = (
  { peppers, masterKeys }: Secrets,
  changed: (inUse: { readonly pepperId: string; readonly masterKeyId: string }) => void,
): SecretsInUse => {
  const accepts = { peppers: peppers.map(({ id }) => id), masterKeys: masterKeys.map(({ id }) => id) };
  const newest = ({ peppers: ids, masterKeys: keyIds }: AcceptedSecrets) => ({
    pepperId: ids[0] ?? accepts.peppers.at(-1) ?? '',
    masterKeyId: keyIds[0] ?? accepts.masterKeys.at(-1) ?? '',
  });
  let inUse = newest({ peppers: [], masterKeys: [] });
  return {
    accepts,
    get pepperId() {
      return inUse.pepperId;
    },
    get masterKeyId() {
      return inUse.masterKeyId;
    },
    update: (accepted) => {
      const now = newest(accepted);
      const isSame = now.pepperId === inUse.pepperId && now.masterKeyId === inUse.masterKeyId;
      inUse = now;
      if (!isSame) changed(now);
    },
  };
};

export type MissingSecretsOptions = {
  readonly databaseUrl: string;
  readonly secrets: Secrets;
  /** How many live keys depend on each pepper. */
  readonly keysByPepper: ReadonlyMap<string, { readonly length: number }>;
  /** How many data keys each master key wraps. */
  readonly dataKeysByMasterKey: ReadonlyMap<string, number>;
  readonly log: Logger;
};

/** Warns of what this node cannot serve because it lacks a pepper or a master key that is still needed. */
export const warnOfMissingSecrets = async (options: MissingSecretsOptions): Promise<void> => {
  const { databaseUrl, secrets, keysByPepper, dataKeysByMasterKey, log } = options;
  const values = secrets.peppers.map(({ secret }) => secret);
  for (const [pepper, { length: keys }] of keysByPepper) {
    if (keys === 0 || secrets.peppers.some(({ id }) => id === pepper)) continue;
    if (await isKnownAs(databaseUrl, 'key_pepper', pepper, values)) continue; // The pepper was renamed.
    log.warn(
      { pepper, keys },
      `API keys that stop working on this gateway: ${keys}. They need the pepper "${pepper}": add it to KISSAPI_KEY_PEPPERS_OLD`,
    );
  }
  for (const [masterKey, accounts] of dataKeysByMasterKey) {
    if (secrets.masterKeys.some(({ id }) => id === masterKey)) continue;
    log.warn(
      { masterKey, accounts },
      `accounts whose name and e-mail address cannot be read on this gateway: ${accounts}. They need the master key ` +
        `"${masterKey}": add it to KISSAPI_DATA_KEYS_OLD`,
    );
  }
};

/** A change of the signing key is not a fault, but `verify` then needs both public keys. */
export const logSigningKey = ({ id, kind, others }: NoticedSigningKey, log: Logger): void => {
  if (kind === 'new') {
    log.warn(
      { signingKey: id, earlierKeys: others },
      `KISSAPI_SIGNING_KEY is a new key: it signs the log from now on. Keep the public half of the earlier one, for verify ` +
        'needs both',
    );
  } else if (kind === 'superseded') {
    log.warn(
      { signingKey: id, newestKey: others[0] },
      'KISSAPI_SIGNING_KEY is not the newest key that has signed this log: give every gateway the same one',
    );
  }
};

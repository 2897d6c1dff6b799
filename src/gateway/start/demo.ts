import { accountStream } from '../../domain/account/account.ts';
import { parseUsd } from '../../domain/money.ts';
import type { Gateway } from '../gateway.ts';
import { readLocalSecret, writeLocalSecret } from '../../config/local-secrets.ts';

export const DEMO_ACCOUNT = 'acc_demo';
const DEMO_CREDIT = parseUsd('5.00') ?? 0n;
const KEY_FILE = 'demo-api-key';

/**
 * Creates a demo account with $5.00 of granted credit and a test key. The key is kept in a file on a development
 * machine, so that every start can print it; the log has only its hash. Undefined if the account was closed.
 */
export const openDemoAccount = async (gateway: Gateway, dataDir: string): Promise<{ apiKey: string } | undefined> => {
  const { accounts, keyring, vault } = gateway;
  const stream = accountStream(DEMO_ACCOUNT);
  const seed = (step: string) => ({ actor: 'system:demo', commandId: `demo/${step}` });
  const once = { mayRepeat: true };
  const { state } = await accounts.read(stream);
  if (state.standing.status === 'closed') return undefined;
  if (state.standing.status === 'unregistered') {
    const personal = await vault.seal(DEMO_ACCOUNT, { name: 'Demo', email: 'demo@example.com' });
    const register = { type: 'RegisterAccount', holder: 'person', personal, adult: true } as const;
    await accounts.execute(stream, register, seed('register'), once);
  }
  const version = gateway.termsInForce();
  const acceptTerms = { type: 'AcceptTerms', version, how: 'started the demo' } as const;
  await accounts.execute(stream, acceptTerms, seed(`terms/${version}`), once);
  await accounts.execute(
    stream,
    { type: 'TopUp', lotId: 'lot_demo', amount: DEMO_CREDIT, source: { kind: 'grant', reason: 'demo' } },
    seed('grant'),
    once,
  );

  const known = await readLocalSecret(dataDir, KEY_FILE);
  const hashes = known === undefined ? [] : keyring.hashes(known);
  const owner = hashes.map(({ hash }) => gateway.findKeyOwner(hash)).find((found) => found !== undefined);
  if (known !== undefined && owner && !owner.revoked) return { apiKey: known };

  const { secret, hash, pepperId, hint } = keyring.create();
  const keyId = `key_demo_${hash.slice(0, 12)}`;
  await writeLocalSecret(dataDir, KEY_FILE, secret);
  const outcome = await accounts.execute(
    stream,
    { type: 'IssueKey', keyId, name: 'demo', hash, pepperId, hint },
    seed(`key/${keyId}`),
  );
  if (outcome.kind === 'refused') throw new Error(`the demo key was refused: ${outcome.refusal.code}`);
  await gateway.lookedUp(outcome.position);
  return { apiKey: secret };
};

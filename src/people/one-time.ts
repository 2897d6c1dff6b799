import type { CodePurpose } from '../identity/one-time-codes.ts';
import { networkPrefix } from '../identity/network-prefix.ts';
import type { Client, NotRedeemed, PeopleOptions, Proof } from './people-options.ts';

/** 256 bits. The browser that asks for a code keeps it, and shows it again with the code. */
const BROWSER_SECRET_BYTES = 32;

export const newBrowserSecret = ({ randomBytes }: Pick<PeopleOptions, 'randomBytes'>): string =>
  randomBytes(BROWSER_SECRET_BYTES).toString('base64url');

export const networkOf = ({ address = '' }: Client): string | undefined => networkPrefix(address);

/** How long a code of ten minutes is valid, in the mail and in the answer. */
export const codeEndsAt = (now: Date): Date => new Date(now.getTime() + 600_000);

export type RedeemedCode = {
  readonly kind: 'redeemed';
  readonly subject: string;
  readonly means: 'code' | 'link';
  readonly sameBrowser: boolean;
};

/** Redeems the code or the link of a mail, within the limits for guesses. */
export const redeem = async (
  { identity }: Pick<PeopleOptions, 'identity'>,
  purpose: CodePurpose,
  id: string,
  proof: Proof,
  client: Client,
): Promise<RedeemedCode | NotRedeemed> => {
  const keys = { account: id, network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'redeem_code', keys });
  if (allowance.kind === 'wait') return allowance;
  const { browserSecret: nonce, ...secret } = proof;
  const redeemed = await identity.oneTimeCodes.redeem({ purpose, id, nonce, ...secret });
  if (redeemed.kind !== 'redeemed') return redeemed;
  return { ...redeemed, means: 'code' in proof ? 'code' : 'link' };
};

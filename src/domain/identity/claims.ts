import { accept, refuse, type Decider, type Decision } from '../decider.ts';

/**
 * The events of one identity: a mailbox, or an entity's registration number. The stream is named by a keyed hash of it, so
 * that one person or entity has one account. Names are on disk permanently.
 */
export type ClaimEvent =
  /**
   * The identity belongs to this person or account. With `approvalId` it is a second owner. `how` is the evidence that the
   * person reads the mailbox; an entity has none.
   */
  | {
      readonly type: 'IdentityClaimed';
      readonly owner: string;
      readonly how?: ClaimEvidence;
      readonly approvalId?: string;
    }
  | { readonly type: 'IdentityReleased'; readonly owner: string; readonly reason: string }
  /** The claim of this owner ends at `until` (ms since the epoch) without a further event; null: it has no end any more. */
  | { readonly type: 'ClaimEndSet'; readonly owner: string; readonly until: number | null; readonly reason: string }
  /** No claim is accepted any more: the owner was excluded. It stays after an erasure. */
  | { readonly type: 'IdentityRetired'; readonly owner: string; readonly reason: string }
  | {
      readonly type: 'SecondOwnerApproved';
      readonly approvalId: string;
      readonly until: number;
      readonly reason: string;
    };

export type ClaimEvidence = 'code' | 'link' | 'invitation';

export type ClaimCommand =
  | { readonly type: 'ClaimIdentity'; readonly owner: string; readonly how?: ClaimEvidence; readonly at: number }
  | { readonly type: 'ReleaseIdentity'; readonly owner: string; readonly reason: string }
  /** Of an identity that its owner no longer uses, but may use again until then. Claiming it again removes the end. */
  | { readonly type: 'EndClaim'; readonly owner: string; readonly until: number; readonly reason: string }
  | { readonly type: 'RetireIdentity'; readonly owner: string; readonly reason: string }
  /** Allows one more owner. `until` and `at` are in ms since the epoch. */
  | {
      readonly type: 'ApproveSecondOwner';
      readonly approvalId: string;
      readonly until: number;
      readonly at: number;
      readonly reason: string;
    };

export type ClaimRefusal = { readonly code: 'identity_taken' | 'identity_retired' | 'approval_ended' };

export type Claims = {
  /** Also those whose claims have ended: see `ownersAt`. */
  readonly owners: readonly string[];
  /** When claims end, by owner. */
  readonly ends: ReadonlyMap<string, number>;
  readonly retired: boolean;
  /** Approvals that were not used, with their ends. */
  readonly approvals: ReadonlyMap<string, number>;
  readonly usedApprovals: readonly string[];
};

export const noClaims = (): Claims => ({
  owners: [],
  ends: new Map(),
  retired: false,
  approvals: new Map(),
  usedApprovals: [],
});

/** The owners whose claims have not ended. */
export const ownersAt = ({ owners, ends }: Claims, at: number): readonly string[] =>
  owners.filter((owner) => at < (ends.get(owner) ?? Infinity));

export const evolveClaims = (claims: Claims, event: ClaimEvent): Claims => {
  const { owners, ends, approvals } = claims;
  switch (event.type) {
    case 'IdentityClaimed': {
      const { owner, approvalId } = event;
      const left = new Map([...approvals].filter(([id]) => id !== approvalId));
      const usedApprovals = [...claims.usedApprovals, ...(approvalId === undefined ? [] : [approvalId])];
      return { ...claims, owners: [...owners, owner], approvals: left, usedApprovals };
    }
    case 'IdentityReleased':
      return withoutOwner(claims, event.owner);
    case 'ClaimEndSet': {
      const others = without(ends, event.owner);
      return { ...claims, ends: event.until === null ? others : new Map(others).set(event.owner, event.until) };
    }
    case 'IdentityRetired':
      return { ...withoutOwner(claims, event.owner), retired: true };
    case 'SecondOwnerApproved':
      return { ...claims, approvals: new Map(approvals).set(event.approvalId, event.until) };
  }
};

const without = (ends: ReadonlyMap<string, number>, owner: string): ReadonlyMap<string, number> =>
  new Map([...ends].filter(([one]) => one !== owner));

const withoutOwner = (claims: Claims, owner: string): Claims => ({
  ...claims,
  owners: claims.owners.filter((one) => one !== owner),
  ends: without(claims.ends, owner),
});

export const decideClaims = (command: ClaimCommand, claims: Claims): Decision<ClaimEvent, ClaimRefusal> => {
  switch (command.type) {
    case 'ClaimIdentity':
      return claim(command, claims);
    case 'ReleaseIdentity': {
      const { owner, reason } = command;
      return claims.owners.includes(owner) ? accept({ type: 'IdentityReleased', owner, reason }) : accept();
    }
    case 'EndClaim': {
      const { owner, until, reason } = command;
      if (!claims.owners.includes(owner) || claims.ends.get(owner) === until) return accept();
      return accept({ type: 'ClaimEndSet', owner, until, reason });
    }
    case 'RetireIdentity': {
      const { owner, reason } = command;
      return claims.retired ? accept() : accept({ type: 'IdentityRetired', owner, reason });
    }
    case 'ApproveSecondOwner': {
      const { approvalId, until, at, reason } = command;
      if (claims.approvals.has(approvalId) || claims.usedApprovals.includes(approvalId)) return accept();
      if (until <= at) return refuse({ code: 'approval_ended' });
      return accept({ type: 'SecondOwnerApproved', approvalId, until, reason });
    }
  }
};

/** On disk. */
const CLAIMED_AGAIN = 'claimed again';
const ENDED = 'its end is over';

const claim = (
  { owner, how, at }: Extract<ClaimCommand, { type: 'ClaimIdentity' }>,
  claims: Claims,
): Decision<ClaimEvent, ClaimRefusal> => {
  const { owners, ends, retired, approvals } = claims;
  const live = ownersAt(claims, at);
  if (live.includes(owner)) {
    return ends.has(owner) ? accept({ type: 'ClaimEndSet', owner, until: null, reason: CLAIMED_AGAIN }) : accept();
  }
  if (retired) return refuse({ code: 'identity_retired' });
  const claimed = { type: 'IdentityClaimed' as const, owner, ...(how === undefined ? {} : { how }) };
  const ended = owners.filter((one) => !live.includes(one));
  if (live.length === 0) {
    const released = ended.map((one) => ({ type: 'IdentityReleased' as const, owner: one, reason: ENDED }));
    return accept<ClaimEvent>(...released, claimed);
  }
  const [approvalId] = [...approvals].find(([, until]) => until > at) ?? [];
  if (approvalId === undefined) return refuse({ code: 'identity_taken' });
  return accept({ ...claimed, approvalId });
};

/** `hash` is a keyed hash, in hexadecimal. */
export const identityStream = (hash: string): string => `identity-${hash}`;

export const claimDecider: Decider<Claims, ClaimCommand, ClaimEvent, ClaimRefusal> = {
  initial: noClaims,
  evolve: evolveClaims,
  decide: decideClaims,
};

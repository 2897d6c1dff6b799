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
  readonly owners: readonly string[];
  readonly retired: boolean;
  /** Approvals that were not used, with their ends. */
  readonly approvals: ReadonlyMap<string, number>;
  readonly usedApprovals: readonly string[];
};

export const noClaims = (): Claims => ({ owners: [], retired: false, approvals: new Map(), usedApprovals: [] });

export const evolveClaims = (claims: Claims, event: ClaimEvent): Claims => {
  const { owners, approvals } = claims;
  switch (event.type) {
    case 'IdentityClaimed': {
      const { owner, approvalId } = event;
      const left = new Map([...approvals].filter(([id]) => id !== approvalId));
      const usedApprovals = [...claims.usedApprovals, ...(approvalId === undefined ? [] : [approvalId])];
      return { ...claims, owners: [...owners, owner], approvals: left, usedApprovals };
    }
    case 'IdentityReleased':
      return { ...claims, owners: owners.filter((owner) => owner !== event.owner) };
    case 'IdentityRetired':
      return { ...claims, owners: owners.filter((owner) => owner !== event.owner), retired: true };
    case 'SecondOwnerApproved':
      return { ...claims, approvals: new Map(approvals).set(event.approvalId, event.until) };
  }
};

export const decideClaims = (command: ClaimCommand, claims: Claims): Decision<ClaimEvent, ClaimRefusal> => {
  switch (command.type) {
    case 'ClaimIdentity':
      return claim(command, claims);
    case 'ReleaseIdentity': {
      const { owner, reason } = command;
      return claims.owners.includes(owner) ? accept({ type: 'IdentityReleased', owner, reason }) : accept();
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

const claim = (
  { owner, how, at }: Extract<ClaimCommand, { type: 'ClaimIdentity' }>,
  { owners, retired, approvals }: Claims,
): Decision<ClaimEvent, ClaimRefusal> => {
  if (owners.includes(owner)) return accept();
  if (retired) return refuse({ code: 'identity_retired' });
  const claimed = { type: 'IdentityClaimed' as const, owner, ...(how === undefined ? {} : { how }) };
  if (owners.length === 0) return accept(claimed);
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

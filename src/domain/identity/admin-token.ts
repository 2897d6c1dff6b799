import { accept, type Decider } from '../decider.ts';

/**
 * The evidence of a call with the admin token that may have changed something. The path has names in place of its ids; the
 * id of the request is in the metadata.
 */
export type AdminTokenEvent = {
  readonly type: 'AdminTokenUsed';
  readonly method: string;
  readonly path: string;
};

export type AdminTokenCommand = Omit<AdminTokenEvent, 'type'> & { readonly type: 'RecordAdminTokenUse' };

/** A stream of its own: scripts may use the token often, and the stream of the staff is read for each request of staff. */
export const ADMIN_TOKEN_STREAM = 'admin-token';

export const adminTokenDecider: Decider<null, AdminTokenCommand, AdminTokenEvent, { readonly code: never }> = {
  initial: () => null,
  evolve: () => null,
  decide: ({ method, path }) => accept({ type: 'AdminTokenUsed', method, path }),
};

import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { StaffRole } from './person-events.ts';

/**
 * The events of one service token: a program of the operator that may do what staff of a role may. Each token has a stream of
 * its own, because the administrator, who creates the first ones, is no person. Names and fields are on disk permanently. The
 * name of the token is kept with its hash outside the log. Times are in ms since the epoch.
 */
export type ServiceTokenEvent =
  | {
      readonly type: 'ServiceTokenCreated';
      readonly tokenId: string;
      readonly role: StaffRole;
      readonly endsAt: number;
    }
  | { readonly type: 'ServiceTokenRevoked'; readonly tokenId: string; readonly reason: string };

export type ServiceTokenCommand =
  | {
      readonly type: 'CreateServiceToken';
      readonly tokenId: string;
      readonly role: StaffRole;
      readonly endsAt: number;
    }
  | { readonly type: 'RevokeServiceToken'; readonly tokenId: string; readonly reason: string };

export type ServiceTokenRefusal = { readonly code: 'token_not_found' };

export type ServiceTokenState = 'unknown' | 'live' | 'revoked';

export const evolveServiceToken = (_state: ServiceTokenState, event: ServiceTokenEvent): ServiceTokenState => {
  switch (event.type) {
    case 'ServiceTokenCreated':
      return 'live';
    case 'ServiceTokenRevoked':
      return 'revoked';
  }
};

export const decideServiceToken = (
  command: ServiceTokenCommand,
  state: ServiceTokenState,
): Decision<ServiceTokenEvent, ServiceTokenRefusal> => {
  switch (command.type) {
    case 'CreateServiceToken': {
      const { tokenId, role, endsAt } = command;
      if (state === 'revoked') return refuse({ code: 'token_not_found' });
      return state === 'live' ? accept() : accept({ type: 'ServiceTokenCreated', tokenId, role, endsAt });
    }
    case 'RevokeServiceToken': {
      const { tokenId, reason } = command;
      if (state === 'unknown') return refuse({ code: 'token_not_found' });
      return state === 'revoked' ? accept() : accept({ type: 'ServiceTokenRevoked', tokenId, reason });
    }
  }
};

export const serviceTokenStream = (tokenId: string): string => `service-token-${tokenId}`;

export const serviceTokenDecider: Decider<
  ServiceTokenState,
  ServiceTokenCommand,
  ServiceTokenEvent,
  ServiceTokenRefusal
> = {
  initial: () => 'unknown',
  evolve: evolveServiceToken,
  decide: decideServiceToken,
};

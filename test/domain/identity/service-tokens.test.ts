import { describe, it } from 'vitest';
import { serviceTokenDecider, type ServiceTokenCommand } from '../../../src/domain/identity/service-tokens.ts';
import { specify } from '../../given.ts';

const given = specify(serviceTokenDecider);

const created = { type: 'ServiceTokenCreated', tokenId: 'tok_1', role: 'finance', endsAt: 12 } as const;
const revoked = { type: 'ServiceTokenRevoked', tokenId: 'tok_1', reason: 'unused' } as const;
const create: ServiceTokenCommand = { ...created, type: 'CreateServiceToken' };
const revoke: ServiceTokenCommand = { ...revoked, type: 'RevokeServiceToken' };

describe('a service token', () => {
  it('is created once, and not again after its end', () => {
    given().when(create).then(created);
    given(created).when(create).then();
    given(created, revoked).when(create).thenRefused('token_not_found');
  });
  it('is revoked once', () => {
    given().when(revoke).thenRefused('token_not_found');
    given(created).when(revoke).then(revoked);
    given(created, revoked).when(revoke).then();
  });
});

import { describe, expect, it } from 'vitest';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { withPause } from '../../../src/gateway/health/pause.ts';
import { HoldsPaused } from '../../../src/proxy/engine/hold/hold.ts';
import { reserve } from '../../domain/account/examples.ts';
import { KEY_ID, openAccount } from '../../proxy/engine/account.ts';

const { state } = openAccount(1_000_000_000n);
const grant = { type: 'TopUp', lotId: 'lot_2', amount: 1n, source: { kind: 'grant', reason: 'test' } } as const;

describe('a pause of holds', () => {
  it('refuses a hold from the moment of the pause, and no other command', () => {
    let paused = false;
    const decider = withPause(accountDecider, () => paused);
    const hold = reserve(1000n, 'req_1', KEY_ID);
    expect(decider.decide(hold, state)).toEqual(accountDecider.decide(hold, state));
    paused = true;
    expect(() => decider.decide(hold, state)).toThrow(HoldsPaused);
    expect(decider.decide(grant, state)).toEqual(accountDecider.decide(grant, state));
  });
});

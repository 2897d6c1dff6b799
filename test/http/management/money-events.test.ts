import { describe, expect, it } from 'vitest';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { Recorded } from '../../../src/eventstore/journal/codec.ts';
import { viewEvent } from '../../../src/http/management/accounts/views/event-view.ts';
import { suspended, toppedUp } from '../../domain/account/examples.ts';
import { ended, endingGrant, suspendedForDebt, suspendedForDispute } from '../../domain/account/refunds/examples.ts';
import { refundsOnDisk } from '../../domain/account/refunds/on-disk.ts';
import { eventOf } from '../../support/events/account-history.ts';

const shown = (event: AccountEvent) => {
  const recorded: Recorded<AccountEvent> = {
    ...{ event, id: 'event_1', stream: 'account-acc_1', revision: 0, position: 1, time: new Date(0) },
    metadata: { actor: 'test', commandId: 'command_1' },
  };
  return viewEvent(recorded, undefined);
};

describe('the events of an account over HTTP', () => {
  it.each<AccountEvent>([
    ...Object.values(refundsOnDisk).map(([event]) => event),
    ...[toppedUp(5n), endingGrant(5n), ended(0n), suspended(), suspendedForDispute, suspendedForDebt],
  ])('show all that happened to the money: $type', (event) => {
    expect(eventOf(shown(event))).toStrictEqual(event);
  });

  it('show the end of a grant, and null if it has none', () => {
    expect(shown(endingGrant(5n)).data['ends_at']).toBe('2026-01-31T12:00:00.000Z');
    expect(shown(toppedUp(5n)).data['ends_at']).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { decideAccount, type AccountCommand } from '../../../src/domain/account/decide.ts';
import { evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import { noUsage, type Usage } from '../../../src/domain/money.ts';
import {
  chargeLate,
  customer,
  delivery,
  drawn,
  extended,
  given,
  lateCharged,
  release,
  released,
  reserved,
  settle,
  settled,
  toppedUp,
  writeOffLate,
  writtenOff,
} from './examples.ts';

const whole = settled(4, { held: 4n, charged: 4n, released: 0n, drawn: [drawn(4n)] });

/** The same, with so many tokens that nobody had asked for. */
const beyond = (output: number, command: AccountCommand, more: Partial<Usage> = {}) =>
  ({ ...command, beyond: { ...noUsage, output, ...more } }) as AccountCommand;

describe('SettleHold', () => {
  it('charges what was used and gives the rest back', () =>
    given(toppedUp(10n), reserved(4n))
      .when(settle(3))
      .then(settled(3, { held: 4n, charged: 3n, released: 1n, drawn: [drawn(3n)] })));
  it('never settles twice', () =>
    given(toppedUp(10n), reserved(4n), whole).when(settle(4)).thenRefused('hold_not_open'));
  it('settles no hold that never was', () => given(toppedUp(10n)).when(settle(3)).thenRefused('hold_not_open'));
  it('settles no hold that was released', () =>
    given(toppedUp(10n), reserved(4n), released(4n)).when(settle(3)).thenRefused('hold_not_open'));

  it('charges nothing for nothing', () =>
    given(toppedUp(10n), reserved(4n))
      .when(settle(0))
      .then(settled(0, { held: 4n, charged: 0n, released: 4n, drawn: [] })));
  it('counts the steps by which the hold was extended', () =>
    given(toppedUp(10n), reserved(4n), extended(2n))
      .when(settle(5))
      .then(settled(5, { held: 6n, charged: 5n, released: 1n, drawn: [drawn(5n)] })));
  it('reaches into the free balance for what the hold does not cover', () =>
    given(toppedUp(10n), reserved(4n))
      .when(settle(7))
      .then(settled(7, { held: 4n, charged: 7n, released: 0n, drawn: [drawn(7n)] })));
  it('writes off what neither hold nor balance covers', () =>
    given(toppedUp(6n), reserved(4n))
      .when(settle(9))
      .then(settled(9, { held: 4n, charged: 6n, released: 0n, drawn: [drawn(6n)] }), writtenOff(3n)));
  it('never touches what other requests hold', () =>
    given(toppedUp(10n), reserved(4n), reserved(5n, 'req_2'))
      .when(settle(9))
      .then(settled(9, { held: 4n, charged: 5n, released: 0n, drawn: [drawn(5n)] }), writtenOff(4n)));

  it('writes off what was delivered beyond the limit of the request, at its price', () =>
    given(toppedUp(10n), reserved(4n))
      .when(beyond(3, settle(4)))
      .then(whole, writtenOff(3n, 'req_1', 3)));
  it('writes it off together with what neither hold nor balance covers', () =>
    given(toppedUp(6n), reserved(4n))
      .when(beyond(5, settle(9)))
      .then(settled(9, { held: 4n, charged: 6n, released: 0n, drawn: [drawn(6n)] }), writtenOff(8n, 'req_1', 5)));
  it('writes off every class beyond the bounds of the request, each at its rate, rounded up once', () => {
    const rates = { input: 150n, cachedInput: 75n, cacheWrite: 300n, output: 600n, reasoning: 900n };
    const hold = { ...reserved(50n), price: { model: 'other', version: 7, rates } };
    // 1650 + 525 + 1500 + 1800 + 1800 = 7275 pico-USD
    const classes = { input: 11, cachedInput: 7, cacheWrite: 5, reasoning: 2 };
    const settled = decideAccount(
      beyond(3, { type: 'SettleHold', requestId: 'req_1', usage: noUsage, delivery }, classes),
      [...customer, toppedUp(100n), hold].reduce(evolveAccount, initialAccount()),
    );
    expect(settled.kind === 'accepted' && settled.events[1]).toEqual({
      ...writtenOff(8n),
      beyond: { ...classes, output: 3 },
    });
  });
  it('says nothing of a limit that was kept', () =>
    given(toppedUp(10n), reserved(4n))
      .when(beyond(0, settle(4)))
      .then(whole));

  it('charges by the price that the hold pinned, each class at its rate, rounded up once', () => {
    const rates = { input: 150n, cachedInput: 75n, cacheWrite: 300n, output: 600n, reasoning: 900n };
    const hold = { ...reserved(50n), price: { model: 'other', version: 7, rates } };
    const usage = { input: 11, cachedInput: 7, cacheWrite: 5, output: 3, reasoning: 2 };
    // 1650 + 525 + 1500 + 1800 + 1800 = 7275 pico-USD
    given(toppedUp(100n), hold)
      .when({ type: 'SettleHold', requestId: 'req_1', usage, delivery })
      .then({
        type: 'HoldSettled',
        requestId: 'req_1',
        keyId: 'key_1',
        price: hold.price,
        usage,
        cost: 8n,
        charged: 8n,
        held: 50n,
        released: 42n,
        drawn: [drawn(8n)],
        delivery,
      });
  });

  it('dies rather than settle by a usage that cannot be', () => {
    const account = [...customer, toppedUp(10n), reserved(4n)].reduce(evolveAccount, initialAccount());
    const settleBy = (output: number) => () =>
      decideAccount({ type: 'SettleHold', requestId: 'req_1', usage: { ...noUsage, output }, delivery }, account);
    expect(settleBy(-1)).toThrow('usage is never negative');
    expect(settleBy(NaN)).toThrow('usage is never negative');
    expect(settleBy(0.5)).toThrow(RangeError);
    expect(settleBy(Infinity)).toThrow(RangeError);
  });
});

describe('ReleaseHold', () => {
  it('gives all of it back', () => given(toppedUp(10n), reserved(4n), extended(2n)).when(release()).then(released(6n)));
  it('never releases twice', () =>
    given(toppedUp(10n), reserved(4n), released(4n)).when(release()).thenRefused('hold_not_open'));
  it('releases no hold that was settled', () =>
    given(toppedUp(10n), reserved(4n), whole).when(release()).thenRefused('hold_not_open'));
});

describe('ChargeLateUsage', () => {
  it('charges what became known after the release', () =>
    given(toppedUp(10n), reserved(4n), released(4n))
      .when(chargeLate(3))
      .then(lateCharged(3, { charged: 3n, drawn: [drawn(3n)] })));
  it('charges again: only the id of the command tells a repetition', () =>
    given(toppedUp(10n), reserved(4n), released(4n), lateCharged(3, { charged: 3n, drawn: [drawn(3n)] }))
      .when(chargeLate(3))
      .then(lateCharged(3, { charged: 3n, drawn: [drawn(3n)] })));
  it('charges nothing beside an open hold', () =>
    given(toppedUp(10n), reserved(4n)).when(chargeLate(3)).thenRefused('request_id_reused'));
  it('never touches what other requests hold', () =>
    given(toppedUp(10n), reserved(4n), released(4n), reserved(8n, 'req_2'))
      .when(chargeLate(3))
      .then(lateCharged(3, { charged: 2n, drawn: [drawn(2n)] }), writtenOff(1n)));
  it('writes off what was delivered beyond the limit of the request, of what was free as well', () =>
    given(toppedUp(10n), reserved(4n), released(4n))
      .when(beyond(2, chargeLate(3)))
      .then(lateCharged(3, { charged: 3n, drawn: [drawn(3n)] }), writtenOff(2n, 'req_1', 2)));
  it('writes all of it off where nothing is left', () =>
    given(toppedUp(4n), reserved(4n), released(4n), reserved(4n, 'req_2'))
      .when(chargeLate(3))
      .then(lateCharged(3, { charged: 0n, drawn: [] }), writtenOff(3n)));
});

describe('WriteOffLateUsage', () => {
  it('lets the house bear what became known after the release', () =>
    given(toppedUp(10n), reserved(4n), released(4n)).when(writeOffLate(3)).then(writtenOff(3n)));
  it('counts what was delivered beyond the limit of the request', () =>
    given(toppedUp(10n), reserved(4n), released(4n))
      .when(beyond(2, writeOffLate(3)))
      .then(writtenOff(5n, 'req_1', 2)));
  it('writes off again: only the id of the command tells a repetition', () =>
    given(toppedUp(10n), reserved(4n), released(4n), writtenOff(3n)).when(writeOffLate(3)).then(writtenOff(3n)));
  it('has nothing to say of what cost nothing', () =>
    given(toppedUp(10n), reserved(4n), released(4n)).when(writeOffLate(0)).then());
  it('writes nothing off beside an open hold', () =>
    given(toppedUp(10n), reserved(4n)).when(writeOffLate(3)).thenRefused('request_id_reused'));
});

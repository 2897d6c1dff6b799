import { describe, it } from 'vitest';
import { decodeFact } from '../../../src/eventstore/journal/codec.ts';
import { checkPayments } from './check.ts';
import { randomFrom } from './random.ts';
import { openWorld, type World } from './world.ts';

const RUNS = Number(process.env['PAYMENT_SCHEDULES'] ?? 25);
const STEPS = 250;
const SEED = Number(process.env['SEED'] ?? 14);

/** The log, compared with the records of the partner. */
const check = ({ log, control }: World): void =>
  void checkPayments(
    log.events.map((stored) => decodeFact(stored)),
    control,
  );

describe('payments under random schedules of deliveries, kills and clocks', () => {
  it.each(Array.from({ length: RUNS }, (_, n) => SEED + n))(
    'credits each transaction once, and records each refund and dispute once (seed %i)',
    async (seed) => {
      const world = await openWorld(randomFrom(seed));
      try {
        for (let n = 0; n < STEPS; n++) await world.step();
        await world.calm();
        check(world);
        await world.pass();
        check(world);
      } finally {
        await world.close();
      }
    },
  );
});

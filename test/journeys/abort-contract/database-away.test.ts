import { expect } from 'vitest';
import { SOON } from '../../support/soon.ts';
import { takeAway } from '../../support/sql.ts';
import { answered, contract, none, one, type At } from './contract.ts';
import { cases, createStage, happensHalfWay, type OnStage } from './support/stage.ts';

const WAITS_IN_VAIN = 'comes while the database is away, and waits in vain';

const play = async (place: Pick<At, 'house' | 'upstream'>) => {
  let giveBack: () => Promise<void> = () => Promise.resolve();
  let waiting = 0;

  const waitsInVain = none<OnStage>(async ({ ask, happens }) => {
    await happens();
    const seen = await answered(ask());
    if (--waiting === 0) await giveBack();
    return seen;
  });

  const waitsForIt = one<OnStage>(async (at) => {
    const sent = await happensHalfWay(at);
    // The words come all the same; what waits is the end, and with it the cost.
    if (at.streamed) await expect.poll(() => sent.words(), SOON).toBe(4);
    const seen = await answered(sent);
    expect(waiting, 'no answer ends before its settlement is durable').toBe(0);
    return seen;
  });

  const inVain = cases(WAITS_IN_VAIN, waitsInVain, 'whole', 'streamed');
  waiting = inVain.length;
  return createStage(place)(
    place.house.gateway,
    [
      ...inVain,
      ...cases('away when the answer comes, until it is back', waitsForIt, 'whole'),
      ...cases('away mid-stream, until it is back', waitsForIt, 'streamed'),
    ],
    { happen: async () => (giveBack = await takeAway(place.house.premises.databaseUrl)) },
  );
};

contract('database-away', {}, (row, place) => {
  let played: ReturnType<typeof play> | undefined;
  const playing = () => (played ??= play(place()));
  for (const name of [
    WAITS_IN_VAIN,
    'away when the answer comes, until it is back',
    'away mid-stream, until it is back',
  ]) {
    row(name, async (at) => (await playing())(at, name));
  }
});

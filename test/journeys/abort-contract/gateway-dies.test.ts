import process from 'node:process';
import { expect } from 'vitest';
import { SOON } from '../../support/soon.ts';
import { answered, contract, one, type At } from './contract.ts';
import { cases, createStage, happensHalfWay, type OnStage } from './support/stage.ts';
import { complete, plays, role, says, sse, stays } from './support/wire.ts';

const killedAt = (text?: string) =>
  one<OnStage>(async ({ upstream, streamed, ask, happens }) => {
    const line = stays(streamed, text);
    upstream.play(line.script);
    const sent = ask();
    await line.asked;
    if (text !== undefined) await expect.poll(() => sent.words(), SOON).toBe(1);
    await happens();
    expect(await line.gone).toBe('left');
    return answered(sent);
  });

const killedAfterwards = one<OnStage>(async ({ upstream, streamed, ask, happens }) => {
  upstream.play(plays(streamed, complete(streamed)));
  const seen = await answered(ask());
  await happens();
  return seen;
});

/** It wakes up to an answer whose hold another has given back. */
const paused = one<OnStage>(async (at) => answered(await happensHalfWay(at)));

const play = async (place: Pick<At, 'house' | 'upstream'>) => {
  const stage = createStage(place);
  const { house, upstream } = place;
  const env = { OPENAI_UPSTREAM_URL: upstream.url, OPENAI_API_KEY: 'sk-of-the-house' };
  const [killed, sleeper] = await Promise.all([house.premises.startGateway(env), house.premises.startGateway(env)]);
  const holdsOf = async (accountId: string): Promise<unknown> =>
    (await house.gateway.manage<{ open_holds: unknown }>('GET', `/accounts/${accountId}`)).open_holds;

  const [dead, woken] = await Promise.all([
    stage(
      killed,
      [
        ...cases('killed before the first byte', killedAt(), 'whole', 'streamed'),
        ...cases('killed mid-stream', killedAt(sse(role, says('a'))), 'streamed'),
        ...cases('killed after the last byte', killedAfterwards, 'whole', 'streamed'),
      ],
      { happen: () => killed.process.stop('SIGKILL') },
    ),
    stage(sleeper, cases('paused until its hold was given back', paused, 'whole', 'streamed'), {
      happen: async (accountIds) => {
        process.kill(sleeper.process.pid, 'SIGSTOP');
        try {
          for (const id of accountIds) await expect.poll(() => holdsOf(id), SOON).toEqual([]);
        } finally {
          process.kill(sleeper.process.pid, 'SIGCONT');
        }
      },
    }),
  ]);
  return { dead, woken };
};

contract('gateway-dies', {}, (row, place) => {
  let played: ReturnType<typeof play> | undefined;
  const playing = () => (played ??= play(place()));
  for (const name of ['killed before the first byte', 'killed mid-stream', 'killed after the last byte']) {
    row(name, async (at) => (await playing()).dead(at, name));
  }
  row(
    'paused until its hold was given back',
    async (at) => (await playing()).woken(at, 'paused until its hold was given back'),
    {
      check: ({ generation }) =>
        expect(generation).toMatchObject({ reason: 'orphaned', tokens: { input: 9, output: 3 } }),
    },
  );
});

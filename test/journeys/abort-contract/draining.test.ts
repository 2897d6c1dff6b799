import { expect } from 'vitest';
import type { RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { chat } from '../../support/traffic.ts';
import { answered, contract, none, one, PROMPT_TOKENS, type At, type Seen } from './contract.ts';
import { appendWaits, cases, createStage, holdTheLog, type OnStage } from './support/stage.ts';
import { answer, begins, complete, role, says, sse, stays, usage } from './support/wire.ts';

/** The provider says so much, and no more; it is left when the grace is over. */
const outlasting = (text?: string) =>
  one<OnStage>(async ({ upstream, streamed, ask, happens }) => {
    const line = stays(streamed, text);
    upstream.play(line.script);
    const sent = ask();
    await line.asked;
    if (streamed && text !== undefined) {
      await expect.poll(() => sent.status(), SOON).toBe(200);
      await expect.poll(() => sent.words(), SOON).toBe(text.split('"delta":{"content":"').length - 1);
    }
    await happens();
    const seen = await answered(sent);
    expect(await line.gone).toBe('left');
    return seen;
  });

const endsInTime = one<OnStage>(async ({ upstream, streamed, ask, happens }) => {
  const line = stays(streamed, streamed ? sse(role) : undefined);
  upstream.play(line.script);
  const sent = ask();
  const response = await line.asked;
  await happens();
  if (!streamed) begins(response, false);
  response.end(complete(streamed));
  return answered(sent);
});

const comesLate = none<OnStage>(async ({ ask, happens }) => {
  await happens();
  return answered(ask());
});

const settingAside = one<OnStage>(async ({ ask, happens }) => {
  const sent = ask();
  await happens();
  return answered(sent);
});

const isTold = async (gateway: RunningGateway): Promise<void> => {
  void gateway.process.stop();
  await expect.poll(() => gateway.process.output(), SOON).toContain('stopping');
};

const play = async (place: Pick<At, 'house' | 'upstream'>) => {
  const stage = createStage(place);
  const { house, upstream } = place;
  const env = { OPENAI_UPSTREAM_URL: upstream.url, OPENAI_API_KEY: 'sk-of-the-house', DRAIN_TIMEOUT_MS: '1000' };
  const one = await house.premises.startGateway(env);
  // The first count of tokens loads what counts them, which takes longer than last words may where the machine is busy.
  await chat(one, one.demoKey, { simulate: { usage: 'missing' } }).answer;
  const drained = await stage(
    one,
    [
      ...cases('the grace ends before the first byte', outlasting(), 'whole', 'streamed'),
      ...cases(HALF_WAY, outlasting(answer('a', usage).slice(0, 99)), 'whole'),
      ...cases('the grace ends before the first token', outlasting(sse(role)), 'streamed'),
      ...cases('the grace ends mid-stream', outlasting(sse(role, says('a'), says(' b'))), 'streamed'),
      ...cases('ends within the grace', endsInTime, 'whole', 'streamed'),
      ...cases('comes when the gateway drains', comesLate, 'whole', 'streamed'),
    ],
    { happen: () => isTold(one) },
  );
  /** Each kind at a gateway of its own, for what waits for the log may be the append of one of them only. */
  const setAside = async (kind: 'whole' | 'streamed') => {
    const gateway = await house.premises.startGateway(env);
    let goOn: (() => Promise<void>) | undefined;
    return stage(gateway, cases(SET_ASIDE, settingAside, kind), {
      before: async () => (goOn = await holdTheLog(place)),
      happen: async () => {
        await appendWaits(place);
        await isTold(gateway);
        await goOn?.();
      },
    });
  };
  return { drained, whole: await setAside('whole'), streamed: await setAside('streamed') };
};

const SET_ASIDE = 'its credits are being set aside';
const HALF_WAY = 'the grace ends half-way through an answer that does not stream';

contract('draining', {}, (row, place) => {
  let played: ReturnType<typeof play> | undefined;
  const playing = () => (played ??= play(place()));
  const drained = (name: string, check?: (seen: Seen) => void): void =>
    row(name, async (at) => (await playing()).drained(at, name), check ? { check } : {});

  drained('the grace ends before the first byte');
  drained(HALF_WAY);
  drained('the grace ends before the first token');
  drained('the grace ends mid-stream', ({ generation }) =>
    expect(generation?.tokens).toMatchObject({ input: PROMPT_TOKENS, output: 2 }),
  );
  drained('ends within the grace');
  drained('comes when the gateway drains', ({ answer: { headers } }) =>
    expect(Number(headers.get('retry-after-ms'))).toBeGreaterThan(0),
  );
  row(SET_ASIDE, async (at) => (await playing())[at.streamed ? 'streamed' : 'whole'](at, SET_ASIDE));
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatUsd, parseUsd } from '../../../src/domain/money.ts';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import {
  checkProjections,
  checkSettledBooks,
  isCharge,
  readHistory,
  type Checked,
} from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { chat, costUsdOf, generationOf, type Answer, type Sent } from '../../support/traffic.ts';

/** What the design promises: so long after a crash no hold of the dead run is left. */
const RELEASED_WITHIN_MS = 5000;

const STREAMS = 50;

/** Streams of all lengths, the longest far longer than the test, and some answers that are not streamed. */
const startTraffic = (gateway: RunningGateway, apiKey: string): readonly Sent[] => [
  ...Array.from({ length: STREAMS }, (_, n) =>
    chat(gateway, apiKey, {
      stream: true,
      maxTokens: 2000,
      simulate: { outputTokens: n < STREAMS / 2 ? 5 + 2 * n : 2000, tokenMs: 20 },
    }),
  ),
  ...Array.from({ length: 10 }, (_, n) =>
    chat(gateway, apiKey, { maxTokens: 100, simulate: { outputTokens: 50, firstByteMs: n < 7 ? 50 * n : 60_000 } }),
  ),
];

const openHolds = async (gateway: RunningGateway, accountId: string): Promise<AccountView['open_holds']> =>
  (await gateway.manage<AccountView>('GET', `/accounts/${accountId}`)).open_holds;

const expectNoHoldsSoon = (gateway: RunningGateway, accountId: string): Promise<void> =>
  expect
    .poll(() => openHolds(gateway, accountId), { timeout: RELEASED_WITHIN_MS, interval: 50 })
    .toEqual([])
    .then(() => undefined);

/** Whatever a customer saw completed is in the books, once and at the cost that the customer was told. */
const expectAcknowledged = (answers: readonly Answer[], { events }: Checked): number => {
  const charged = new Map(events.filter(isCharge).map((charge) => [charge.requestId, formatUsd(charge.charged)]));
  const acknowledged = answers.filter((answer) => costUsdOf(answer) !== undefined);
  for (const answer of acknowledged) expect(charged.get(generationOf(answer))).toBe(costUsdOf(answer));
  return acknowledged.length;
};

describe('a gateway that is killed', () => {
  let premises: Premises;
  beforeAll(async () => {
    premises = await createPremises();
  });
  afterAll(() => premises.close());

  it('has charged what was acknowledged, once, and gives the rest back when it is started again', async () => {
    const killed = await premises.startGateway();
    const { accountId, apiKey } = await killed.openAccount();
    const traffic = startTraffic(killed, apiKey);
    await expect.poll(() => traffic.filter((one) => one.acknowledged()).length, SOON).toBeGreaterThan(20);
    await killed.process.stop('SIGKILL');
    const answers = await Promise.all(traffic.map(({ answer }) => answer));

    const gateway = await premises.startGateway();
    await expectNoHoldsSoon(gateway, accountId);
    const checked = await checkSettledBooks(gateway, accountId);
    expect(expectAcknowledged(answers, checked)).toBeGreaterThan(20);
    expect(checked.events.filter(({ type }) => type === 'HoldReleased').length).toBeGreaterThanOrEqual(STREAMS / 2);
    await checkProjections(premises.databaseUrl, accountId, checked);

    // The account is of use again: what was given back can be spent.
    const answer = await chat(gateway, apiKey).answer;
    expect(costUsdOf(answer)).toBeDefined();
    await checkSettledBooks(gateway, accountId);
    await gateway.process.stop();
  });
});

describe('two gateways on one database', () => {
  let premises: Premises;
  let survivor: RunningGateway;
  let accountId: string;
  let apiKey: string;
  beforeAll(async () => {
    premises = await createPremises();
    survivor = await premises.startGateway();
    ({ accountId, apiKey } = await survivor.openAccount());
  });
  afterAll(() => premises.close());

  it('the one that lives gives back what the other held when it was killed, and keeps its own', async () => {
    const killed = await premises.startGateway();
    const traffic = startTraffic(killed, apiKey);
    const own = chat(survivor, apiKey, { stream: true, maxTokens: 1000, simulate: { outputTokens: 300, tokenMs: 20 } });
    await expect.poll(() => traffic.filter((one) => one.acknowledged()).length, SOON).toBeGreaterThan(10);
    await expect.poll(() => own.words(), SOON).toBeGreaterThan(0);
    await killed.process.stop('SIGKILL');

    await expect
      .poll(async () => (await openHolds(survivor, accountId)).length, { timeout: RELEASED_WITHIN_MS, interval: 50 })
      .toBeLessThanOrEqual(1);
    expect(costUsdOf(await own.answer)).toBeDefined();
    const answers = await Promise.all(traffic.map(({ answer }) => answer));
    const checked = await checkSettledBooks(survivor, accountId);
    expect(expectAcknowledged([...answers, await own.answer], checked)).toBeGreaterThan(11);
    expect(checked.events.filter((event) => event.type === 'HoldReleased' && event.reason !== 'orphaned')).toEqual([]);
    await checkProjections(premises.databaseUrl, accountId, checked);
  });

  describe('of which one is paused for so long that the other takes it for dead', () => {
    let poor: Awaited<ReturnType<RunningGateway['openAccount']>>;
    let answers: readonly [Answer, Answer];

    it('goes on to serve when it wakes up', async () => {
      // Enough for one such stream, and little more.
      poor = await survivor.openAccount('0.0008');
      const paused = await premises.startGateway();
      const wish = { stream: true, maxTokens: 60, simulate: { outputTokens: 60, tokenMs: 20 } };
      const streams = [chat(paused, apiKey, wish), chat(paused, poor.apiKey, wish)] as const;
      await expect.poll(() => Math.min(...streams.map((stream) => stream.words())), SOON).toBeGreaterThan(2);
      process.kill(paused.process.pid, 'SIGSTOP');
      try {
        for (const account of [accountId, poor.accountId]) {
          await expect.poll(() => openHolds(survivor, account), SOON).toEqual([]);
        }
        const spent = chat(survivor, poor.apiKey, { maxTokens: 140, simulate: { outputTokens: 140 } });
        expect(await spent.answer).toMatchObject({ status: 200 });
      } finally {
        process.kill(paused.process.pid, 'SIGCONT');
      }
      answers = await Promise.all([streams[0].answer, streams[1].answer]);
      expect(costUsdOf(await chat(paused, apiKey).answer)).toBeDefined();
      await paused.process.stop();
    });

    it('charges late what it delivered, once', async () => {
      const [answer] = answers;
      const checked = await checkSettledBooks(survivor, accountId);
      const own = checked.events.filter((event) => 'requestId' in event && event.requestId === generationOf(answer));
      expect(own.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldReleased', 'LateUsageCharged']);
      const late = own.find((event) => event.type === 'LateUsageCharged');
      expect(late).toMatchObject({ charged: late?.cost, usage: { output: 60 }, delivery: { ended: 'completed' } });
      expect(costUsdOf(answer)).toBe(formatUsd(late?.charged ?? 0n));
      await checkProjections(premises.databaseUrl, accountId, checked);

      const receipt = await fetch(`${survivor.url}/v1/generation?id=${generationOf(answer)}`, {
        headers: { authorization: `Bearer ${apiKey}` },
      });
      expect(await receipt.json()).toMatchObject({ data: { status: 'late', total_cost_usd: costUsdOf(answer) } });
    });

    it('writes off what is no longer funded', async () => {
      const [, answer] = answers;
      const checked = await checkSettledBooks(survivor, poor.accountId);
      expect(checked.account.wallet.balance).toBe(0n);
      expect(checked.books.charged).toBe(parseUsd('0.0008'));
      expect(checked.books.writtenOff).toBeGreaterThan(0n);
      expect(checked.events.at(-1)).toMatchObject({ type: 'UsageWrittenOff', requestId: generationOf(answer) });
      await checkProjections(premises.databaseUrl, poor.accountId, checked);
    });
  });

  it('no run is left on the list but the one that lives', async () => {
    const runs = await query(premises.databaseUrl, `select id from runs where seen_at > now() - interval '3 seconds'`);
    expect(runs).toHaveLength(1);
    const history = await readHistory(survivor, accountId);
    expect(history.length).toBeGreaterThan(STREAMS);
  });
});

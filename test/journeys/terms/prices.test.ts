import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLogClock } from '../../../src/eventstore/postgres/log-clock.ts';
import { DAY_MS, forward } from '../../support/clock.ts';
import { runCommand, type Ran } from '../../support/command.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { chat, costUsdOf, errorOf, generationOf } from '../../support/traffic.ts';

const MODEL = 'simulated-chat';
const MINUTE_MS = 60_000;
type Upcoming = { readonly price_version: number; readonly effective_from: string; readonly is_increase: boolean };
type Price = { readonly version: number; readonly upcoming: readonly Upcoming[]; readonly ends_at: string | null } & {
  readonly usd_per_million_tokens: Readonly<Record<string, string>>;
};

const usd = (input: string, output: string) => ({
  ...{ input, cached_input: input, cache_write: input, output, reasoning: output },
});

let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let apiKey: string;

beforeAll(async () => {
  premises = await createPremises();
  nodes = [await premises.startGateway(), await premises.startGateway()];
  ({ apiKey } = await nodes[0].openAccount());
});
afterAll(() => premises.close());

const pass = (ms: number) => forward(premises.databaseUrl, ms, nodes);
const nowOf = async (): Promise<number> => (await readLogClock(premises.databaseUrl)).now.getTime();
/** Without a token: prices are public. */
const priceOn = async ({ url }: RunningGateway, query = ''): Promise<Price | undefined> => {
  const response = await fetch(`${url}/api/prices?model=${MODEL}${query}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { readonly data: readonly Price[] }).data[0];
};
const announced = (node: RunningGateway) =>
  expect.poll(async () => (await priceOn(node))?.upcoming.map(({ is_increase }) => is_increase), SOON);
const versionOn = (node: RunningGateway) => expect.poll(async () => (await priceOn(node))?.version, SOON);
/** 1,000 output tokens of a prompt of always the same length. */
const costOn = async (node: RunningGateway): Promise<string | undefined> => {
  const answer = await chat(node, apiKey, { simulate: { outputTokens: 1000, tokenMs: 0 }, maxTokens: 1000 }).answer;
  expect(answer.status).toBe(200);
  return costUsdOf(answer);
};
const prices = (...args: readonly string[]): Promise<Ran> =>
  runCommand('prices', args, { env: { DATABASE_URL: premises.databaseUrl } });
const modelsOn = async (node: RunningGateway) =>
  (await node.client(apiKey).models.list()).data as unknown as readonly (Price & { readonly id: string })[];

describe('an increase', () => {
  it('cannot take effect within 14 days', async () => {
    const body = { model: MODEL, usd_per_million_tokens: usd('2.00', '8.00') };
    const effective_from = new Date((await nowOf()) + 13 * DAY_MS).toISOString();
    await expect(nodes[0].manage('POST', '/prices', { ...body, effective_from })).rejects.toThrow('notice_too_short');
  });

  it('is public on every node as soon as it is announced, and costs nothing more before its effect', async () => {
    const before = await Promise.all(nodes.map(costOn));
    const body = { model: MODEL, usd_per_million_tokens: usd('2.00', '8.00') };
    const answer = await nodes[0].manage<{ price_version: number; effective_from: string }>('POST', '/prices', body);
    expect(answer).toMatchObject({ price_version: 2, changed: true });
    for (const node of nodes) {
      await announced(node).toEqual([true]);
      const price = await priceOn(node);
      expect(price).toMatchObject({ version: 1, usd_per_million_tokens: { output: '4.00' } });
      expect(price).not.toHaveProperty('cost');
      expect(price?.upcoming).toMatchObject([{ effective_from: answer.effective_from }]);
      expect(await priceOn(node, `&at=${answer.effective_from}`)).toMatchObject({ version: 2, upcoming: [] });
      const [model] = (await modelsOn(node)).filter(({ id }) => id === MODEL);
      expect(model?.upcoming).toMatchObject([{ price_version: 2, is_increase: true }]);
    }
    expect((await prices('upcoming')).stdout).toMatch(
      /simulated-chat +2 +can cost more +2\.00 \/ 2\.00 \/ 2\.00 \/ 8\.00/,
    );
    await pass(14 * DAY_MS - 2 * MINUTE_MS);
    expect(await Promise.all(nodes.map(costOn))).toEqual(before);
  });

  it('is charged from its effect on, on every node; a request in progress keeps its price', async () => {
    const [before] = await Promise.all([costOn(nodes[0])]);
    const underWay = chat(nodes[0], apiKey, {
      simulate: { outputTokens: 1000, tokenMs: 3 },
      ...{ maxTokens: 1000, stream: true },
    });
    await expect.poll(() => underWay.status(), SOON).toBe(200);
    await pass(2 * MINUTE_MS);
    for (const node of nodes) {
      await versionOn(node).toBe(2);
      expect(Number(await costOn(node))).toBe(2 * Number(before));
    }
    const answer = await underWay.answer;
    expect(costUsdOf(answer)).toBe(before);
    const explained = await runCommand('explain', [generationOf(answer)], {
      env: { DATABASE_URL: premises.databaseUrl },
    });
    expect(explained, explained.stdout).toMatchObject({ code: 0 });
    expect(explained.stdout).toContain('ok     rates as in the price book');
  });

  it('is withdrawn until a minute before its effect', async () => {
    expect((await prices('set', MODEL, '--input', '9', '--output', '9')).stdout).toMatch(
      /as version 3\. It can cost more/,
    );
    for (const node of nodes) await announced(node).toEqual([true]);
    await pass(13 * DAY_MS);
    const withdrawn = await nodes[1].manage('POST', '/prices/withdrawals', {
      model: MODEL,
      version: 3,
      reason: 'A typo',
    });
    expect(withdrawn).toEqual({ model: MODEL, price_version: 3, changed: true });
    for (const node of nodes) await announced(node).toEqual([]);
    await pass(2 * DAY_MS);
    for (const node of nodes) expect((await priceOn(node))?.version).toBe(2);
    const history = (await (await fetch(`${nodes[0].url}/api/prices/history?model=${MODEL}`)).json()) as {
      readonly data: readonly { readonly version: number; readonly withdrawn: boolean }[];
    };
    expect(history.data.map(({ version, withdrawn }) => [version, withdrawn])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
  });
});

describe('a decrease', () => {
  it('takes effect a minute later', async () => {
    const before = await costOn(nodes[0]);
    const { code, stdout } = await prices('set', MODEL, '--input', '1', '--output', '4');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^simulated-chat: 1\.00 .* as version 4\. It costs no more than before/) as unknown,
    });
    for (const node of nodes) await announced(node).toEqual([false]);
    await pass(MINUTE_MS);
    for (const node of nodes) {
      await versionOn(node).toBe(4);
      expect(2 * Number(await costOn(node))).toBe(Number(before));
    }
  });
});

describe('a delisting', () => {
  it('is public before, and takes the model off sale on every node', async () => {
    const { effective_from } = await nodes[0].manage<{ effective_from: string }>('POST', '/delistings', {
      ...{ model: MODEL, reason: 'Too few customers' },
    });
    for (const node of nodes) await expect.poll(async () => (await priceOn(node))?.ends_at, SOON).toBe(effective_from);
    expect((await prices('upcoming')).stdout).toMatch(/simulated-chat +is taken off sale/);
    await pass(14 * DAY_MS - MINUTE_MS);
    for (const node of nodes) expect((await chat(node, apiKey).answer).status).toBe(200);
    await pass(2 * MINUTE_MS);
    for (const node of nodes) {
      await expect.poll(() => priceOn(node), SOON).toBeUndefined();
      const answer = await chat(node, apiKey).answer;
      expect([answer.status, errorOf(answer).code]).toEqual([404, 'model_delisted']);
    }
    const { code, stderr } = await prices('set', MODEL, '--input', '1', '--output', '1');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('npm run relist') as unknown });
  });
});

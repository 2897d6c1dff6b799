import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLogClock } from '../../../src/eventstore/postgres/log-clock.ts';
import { simulate } from '../../support/house.ts';
import { runCommand, type Ran } from '../../support/command.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { DAY_MS, forward } from '../../support/clock.ts';
import { SOON } from '../../support/soon.ts';
import { copySoftware, type Software } from '../../support/nodes/software.ts';

const MODEL = 'simulated-chat';
type Model = { readonly id: string; readonly ends_at: string | null };
type CatalogueFile = { models: ({ model: string } & Record<string, unknown>)[] };

let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let apiKey: string;
let accountId: string;
const copies: Software[] = [];

beforeAll(async () => {
  premises = await createPremises();
  nodes = [await premises.startGateway(), await premises.startGateway()];
  ({ apiKey, accountId } = await nodes[0].openAccount());
});
afterAll(async () => {
  await premises.close();
  await Promise.all(copies.map((one) => one.remove()));
});

const cli = (script: string, ...args: string[]): Promise<Ran> =>
  runCommand(script, args, { env: { DATABASE_URL: premises.databaseUrl } });
const models = async (node: RunningGateway): Promise<readonly Model[]> =>
  (await node.client(apiKey).models.list()).data as unknown as Model[];
const namesOf = async (node: RunningGateway): Promise<readonly string[]> => (await models(node)).map(({ id }) => id);
const ask = async (node: RunningGateway, more: object = {}) => {
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, max_tokens: 20, messages: [{ role: 'user', content: 'Hi' }], ...more }),
  });
  return { status: response.status, text: await response.text(), id: response.headers.get('x-generation-id') };
};
/** Prices change after a minute at the earliest, by the clock of the log. */
const pass = (ms = 61_000) => forward(premises.databaseUrl, ms, nodes);
const isOffSale = async (node: RunningGateway): Promise<void> => {
  await expect.poll(() => namesOf(node), SOON).not.toContain(MODEL);
  const { status, text } = await ask(node);
  expect([status, JSON.parse(text)]).toMatchObject([404, { error: { code: 'model_delisted', param: 'model' } }]);
  const one = await fetch(`${node.url}/v1/models/${MODEL}`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(await one.json()).toMatchObject({ error: { code: 'model_delisted' } });
};
const isOnSale = async (node: RunningGateway): Promise<void> => {
  await expect.poll(() => namesOf(node), SOON).toContain(MODEL);
  expect((await ask(node)).status).toBe(200);
};
const withCatalogue = async (change: (file: CatalogueFile) => void): Promise<string> => {
  const software = await copySoftware();
  copies.push(software);
  const path = join(software.folder, 'catalogue/models.json');
  const file = JSON.parse(await readFile(path, 'utf8')) as CatalogueFile;
  change(file);
  await writeFile(path, JSON.stringify(file));
  return software.folder;
};

describe('a model that is taken off sale by a command', () => {
  it('is off sale on every node a minute later if its provider ends it; what is under way ends at its price', async () => {
    await expect.poll(async () => (await ask(nodes[1])).status, SOON).toBe(200);
    const underWay = ask(nodes[1], { stream: true, ...simulate({ tokenMs: 150, outputTokens: 20 }) });
    const holds = async (): Promise<number> =>
      (await nodes[1].manage<{ open_holds: unknown[] }>('GET', `/accounts/${accountId}`)).open_holds.length;
    await expect.poll(holds, SOON).toBe(1);
    const { code, stdout, stderr } = await cli('delist', MODEL, '--provider-ended', '--reason', 'A test');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^simulated-chat is taken off sale at \d{4}-/);
    await pass();
    for (const node of nodes) await isOffSale(node);
    const { status, text } = await underWay;
    expect([status, text]).toEqual([200, expect.stringMatching(/\[DONE\]\s*$/)]);
    expect((await cli('delist', MODEL, '--reason', 'Again')).stdout).toMatch(
      /^Nothing to do: simulated-chat is off sale since \d{4}-/,
    );
  });

  it('stays off sale on a node that starts later, which has it in its catalogue', async () => {
    await isOffSale(await premises.startGateway());
  });

  it('is on sale again by a command', async () => {
    const { code, stdout } = await cli('relist', MODEL);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^simulated-chat is on sale at price version 2 from \d{4}-\S+Z\.\n$/) as unknown,
    });
    expect((await cli('relist', MODEL)).stdout).toMatch(/^Nothing to do: .* version 2 from /);
    await pass();
    for (const node of nodes) await isOnSale(node);
    expect((await cli('relist', MODEL)).stdout).toMatch(/^Nothing to do: /);
  });

  it.each([
    [['nothing', '--reason', 'x'], /no model nothing/],
    [[MODEL], /--reason/],
    [[MODEL, '--reason', ' '], /must not be empty/],
    [[MODEL, '--reason', 'x', '--at', 'tomorrow'], /ISO 8601/],
    [[MODEL, '--reason', 'x', '--at', '2020-01-01T00:00:00Z'], /after a minute at the earliest/],
    [[MODEL, '--reason', 'x', '--at', new Date(Date.now() + 10 * DAY_MS).toISOString()], /a notice of 14 days/],
  ])('exits with 2 and says why: %j', async (args, words) => {
    const { code, stderr } = await cli('delist', ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a model that is taken off sale over the management API', () => {
  it('at a time: it says so before, and is off sale from then on', async () => {
    const [node, other] = nodes;
    const { now } = await readLogClock(premises.databaseUrl);
    const at = new Date(now.getTime() + 15 * DAY_MS).toISOString();
    const answer = await node.manage('POST', '/delistings', { model: MODEL, at, reason: 'Announced' });
    expect(answer).toEqual({ model: MODEL, effective_from: at, changed: true });
    const announced = async () => (await models(other)).find(({ id }) => id === MODEL)?.ends_at;
    await expect.poll(announced, SOON).toBe(at);
    const { data } = await other.manage<{ data: { model: string; ends_at: string | null }[] }>('GET', '/prices');
    expect(data.find(({ model }) => model === MODEL)?.ends_at).toBe(at);
    await pass(14 * DAY_MS);
    for (const one of nodes) await isOnSale(one);
    await pass(DAY_MS);
    for (const one of nodes) await isOffSale(one);
    await expect(node.manage('POST', '/delistings', { model: 'nothing', reason: 'x' })).rejects.toThrow(
      'model_not_listed',
    );
    const soon = { model: 'simulated-embedding', at: new Date(now.getTime() + 20 * DAY_MS).toISOString() };
    await expect(node.manage('POST', '/delistings', { ...soon, reason: 'x' })).rejects.toThrow('notice_too_short');
  });

  it('and put on sale again', async () => {
    const answer = await nodes[1].manage('POST', '/relistings', { model: MODEL });
    expect(answer).toMatchObject({ model: MODEL, changed: true });
    await pass();
    for (const node of nodes) await isOnSale(node);
  });
});

describe('a model in the catalogue', () => {
  it('that is no longer there is reported with the command to run, and stays on sale', async () => {
    const software = await withCatalogue((file) => {
      file.models = file.models.filter(({ model }) => model !== MODEL);
    });
    const node = await premises.startGateway({}, software);
    const said = node.process.output();
    expect(said).toContain(`${MODEL} is on sale, but no longer in catalogue/models.json`);
    expect(said).toContain(`npm run delist -- ${MODEL} --reason`);
    expect(said.match(/no longer in catalogue/g)).toHaveLength(1);
    await isOnSale(node);
  });

  it('whose end is known shows it on every node', async () => {
    const endsAt = '2998-01-01T00:00:00.000Z';
    const software = await withCatalogue((file) => {
      for (const model of file.models) if (model.model === MODEL) model['endsAt'] = endsAt;
    });
    const node = await premises.startGateway({}, software);
    for (const one of [...nodes, node]) {
      const announced = async () => (await models(one)).find(({ id }) => id === MODEL)?.ends_at;
      await expect.poll(announced, SOON).toBe(endsAt);
    }
  });

  it('is marked with the end that its provider announced', async () => {
    const { models } = JSON.parse(await readFile('catalogue/models.json', 'utf8')) as CatalogueFile;
    const marked = models.filter(({ endsAt }) => endsAt !== undefined).map(({ model, endsAt }) => [model, endsAt]);
    expect(marked).toEqual([
      ['gemini-2.5-pro', '2026-12-01T00:00:00Z'],
      ['gemini-2.5-flash', '2026-12-01T00:00:00Z'],
    ]);
  });
});

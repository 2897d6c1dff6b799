import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { formatUsd } from '../../../src/domain/money.ts';
import { runCommand } from '../../support/command.ts';
import type { Customer } from '../../support/customers/many.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { copySoftware, type Software } from '../../support/nodes/software.ts';
import { createScriptedUpstream, says, type Script, type ScriptedUpstream } from '../../support/scripted-upstream.ts';
import {
  chat,
  costUsdOf,
  errorChunkOf,
  errorOf,
  generationOf,
  send,
  wordsOf,
  type Answer,
} from '../../support/traffic.ts';
import { createOpenAiUpstream } from '../../support/upstreams/openai.ts';
import type { Upstream } from '../../support/upstreams/upstream.ts';

const error = (status: number, code: string | null = null): Script =>
  says(JSON.stringify({ error: { message: 'No.', type: 'error', param: null, code } }), { status });
const head: Script = (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' });
const piece = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' },
  choices: [{ index: 0, delta: { role: 'assistant', content: 'This is' }, finish_reason: null }],
});

/** What the first provider of a model does. Each is a model of its own, because health is kept by model. */
const first: Readonly<Record<string, Script>> = {
  'at-429': error(429, 'rate_limit_exceeded'),
  'at-500': error(500),
  'at-503': error(503),
  'with-key': error(500),
  'at-402': error(402),
  'at-404': error(404, 'model_not_found'),
  silent: () => undefined,
  'only-comments': (...asked) => {
    head(...asked);
    asked[0].write(': wait\n\n');
  },
  'dies-at-once': (response) => void response.destroy(),
  'dies-mid-stream': (...asked) => {
    head(...asked);
    asked[0].write(`data: ${piece}\n\n`, () => setTimeout(() => asked[0].destroy(), 20));
  },
};
/** Its provider is another one, whose port is closed. */
const DOWN = 'down';
const models = [...Object.keys(first), DOWN];

let premises: Premises;
let gateway: RunningGateway;
let software: Software;
let folder: string;
let one: ScriptedUpstream;
let two: Upstream;
beforeAll(async () => {
  one = await createScriptedUpstream();
  one.play((response, body, request) => first[modelIn(body)]?.(response, body, request));
  two = await createOpenAiUpstream();
  const closed = await createScriptedUpstream();
  await closed.close();
  software = await copySoftware();
  await sellAtTwoProviders(join(software.folder, 'catalogue/models.json'));
  folder = await mkdtemp(join(tmpdir(), 'kissapi-upstreams-'));
  const file = join(folder, 'upstreams.json');
  const urls = { openai: one.url, deepseek: two.url, xai: closed.url };
  const upstreams = Object.entries(urls).map(([name, baseUrl]) => ({ name, baseUrl, apiKeyEnv: 'KEY_OF_UPSTREAMS' }));
  await writeFile(file, JSON.stringify({ upstreams }));
  premises = await createPremises();
  gateway = await premises.startGateway({ KISSAPI_UPSTREAMS: file, KEY_OF_UPSTREAMS: 'sk-test' }, software.folder);
});
afterAll(async () => {
  await premises.close();
  await Promise.all([one.close(), two.close(), software.remove(), rm(folder, { recursive: true })]);
});

/** The operator adds the models to the catalogue, each also at a second provider at the same price. A start lists them. */
const sellAtTwoProviders = async (path: string): Promise<void> => {
  const catalogue = JSON.parse(await readFile(path, 'utf8')) as { models: { readonly model: string }[] };
  const like = catalogue.models.find(({ model }) => model === 'gpt-4o-mini');
  for (const model of models) {
    const upstream = model === DOWN ? 'xai' : 'openai';
    catalogue.models.push(
      { ...like, model, ...{ upstream, upstreamModel: model } },
      { ...like, model: `${model}@deepseek`, ...{ upstream: 'deepseek', upstreamModel: model } },
    );
  }
  await writeFile(path, JSON.stringify(catalogue));
};

const modelIn = (body: string): string => (JSON.parse(body) as { model: string }).model;
const askedOfFirst = (model: string): number => one.bodies.filter((body) => modelIn(body) === model).length;

let conversations = 0;
/** Each request is a new conversation, because the provider of a conversation so far is preferred. */
const ask = ({ apiKey }: Customer, model: string, stream: boolean, more: object = {}): Promise<Answer> =>
  chat(gateway, apiKey, {
    ...{ stream, content: `Question ${conversations++}` },
    more: { model, max_tokens: 50, simulate: undefined, ...more },
  }).answer;

/** The answer of the second provider, all of it. */
const expectAnswered = (answer: Answer): void => {
  expect([answer.status, answer.whole], answer.body).toEqual([200, true]);
  expect(answer.headers.get('x-kissapi-provider')).toBe('deepseek');
  const isStream = answer.body.startsWith('data:');
  if (isStream) expect(errorChunkOf(answer)).toBeUndefined();
  const text = isStream
    ? wordsOf(answer)
    : (JSON.parse(answer.body) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;
  expect(text).toMatch(/^You wrote: Question \d+$/);
  expect(costUsdOf(answer)).toBeDefined();
};

const uuidOf = (answer: Answer): string => answer.headers.get('x-request-id')?.replace('req_', '') ?? '';

/** The events of all generations of a request, with the reason of a release and the amount of a charge. */
const storyOf = (events: readonly AccountEvent[], answer: Answer): readonly string[] =>
  events.flatMap((event) => {
    if (!('requestId' in event) || !event.requestId.startsWith(`gen-${uuidOf(answer)}`)) return [];
    const of = event.requestId.slice(`gen-${uuidOf(answer)}`.length);
    if (event.type === 'HoldReleased') return [`${event.type}${of} ${event.reason}`];
    return [`${event.type}${of}${event.type === 'HoldSettled' ? ` ${formatUsd(event.charged)}` : ''}`];
  });

const fellOver = (reason: string, costUsd: string | undefined): readonly string[] => [
  'CreditsReserved',
  `HoldReleased ${reason}`,
  'CreditsReserved-2',
  `HoldSettled-2 ${costUsd}`,
];
const wentStraight = (costUsd: string | undefined): readonly string[] => ['CreditsReserved', `HoldSettled ${costUsd}`];

/** Each answer is of one charge at its cost, no hold is left, and the rows agree. */
const expectChargedOnce = async (
  { accountId }: Customer,
  answers: readonly Answer[],
  reason: string,
): Promise<readonly AccountEvent[]> => {
  const checked = await checkSettledBooks(gateway, accountId);
  const { events } = checked;
  expect(events.filter(({ type }) => type === 'HoldSettled')).toHaveLength(answers.length);
  expect(events.filter(({ type }) => type === 'LateUsageCharged')).toEqual([]);
  for (const answer of answers) {
    const costUsd = costUsdOf(answer);
    const isLater = generationOf(answer).endsWith('-2');
    expect(storyOf(events, answer)).toEqual(isLater ? fellOver(reason, costUsd) : wentStraight(costUsd));
  }
  await checkProjections(premises.databaseUrl, accountId, checked);
  return events;
};

/** About 200 requests a second, fewer if the machine is slow. */
const load = async (seconds: number, send: (n: number) => Promise<Answer>): Promise<readonly Answer[]> => {
  const running = new Set<Promise<void>>();
  const answers: Answer[] = [];
  const began = performance.now();
  for (let n = 0; performance.now() < began + seconds * 1000; n++) {
    const sent: Promise<void> = send(n).then((answer) => {
      answers.push(answer);
      running.delete(sent);
    });
    running.add(sent);
    if (running.size >= 100) await Promise.race(running);
    await sleep(Math.max(0, began + n * 5 - performance.now()));
  }
  await Promise.all(running);
  return answers;
};

describe('a model at two providers, of which the first', () => {
  it.each([
    ['has its port closed', DOWN, 'upstream_failed', 'upstream_error'],
    ['answers 429', 'at-429', 'upstream_refused', 'server_is_overloaded'],
    ['answers 500', 'at-500', 'upstream_refused', 'upstream_error'],
    ['answers 402', 'at-402', 'upstream_refused', 'no_provider'],
    ['breaks the connection', 'dies-at-once', 'upstream_failed', 'upstream_error'],
  ])(
    '%s: customers get the answer of the second, which is asked first after five failures',
    async (_, model, reason, told) => {
      const customer = await gateway.openAccount();
      const answers: Answer[] = [];
      for (let n = 0; n < 5; n++) {
        const answer = await ask(customer, model, n % 2 === 0);
        expect(answer.headers.get('x-kissapi-failed-attempts')).toBe(`${model === DOWN ? 'xai' : 'openai'}=${told}`);
        answers.push(answer);
      }
      const asked = askedOfFirst(model);
      const sixth = await ask(customer, model, true);
      expect(sixth.headers.get('x-kissapi-failed-attempts')).toBeNull();
      expect(askedOfFirst(model)).toBe(asked);
      for (const answer of [...answers, sixth]) expectAnswered(answer);
      await expectChargedOnce(customer, [...answers, sixth], reason);
    },
  );

  it('fails under an Idempotency-Key: the answer of the second is charged once, and a repeat is told so', async () => {
    const customer = await gateway.openAccount();
    const body = { model: 'with-key', max_tokens: 50, messages: [{ role: 'user', content: 'Question of a key' }] };
    const headers = { 'idempotency-key': 'order-1' };
    const sent = () => send(gateway, customer.apiKey, '/chat/completions', body, headers).answer;
    const answer = await sent();
    expect(answer.headers.get('x-kissapi-failed-attempts')).toBe('openai=upstream_error');
    const repeated = await sent();
    expect([repeated.status, errorOf(repeated).code]).toEqual([409, 'idempotency_key_used']);
    expect(errorOf(repeated)).toMatchObject({ generation_id: generationOf(answer), cost_usd: costUsdOf(answer) });
    await expectChargedOnce(customer, [answer], 'upstream_refused');
  });

  it.each([
    ['does not have the model', 'at-404'],
    ['answers 503', 'at-503'],
  ])('%s, at 200 requests a second: each customer pays once, for the answer that came', async (_, model) => {
    const customers = await Promise.all([1, 2, 3].map(() => gateway.openAccount()));
    const answered = new Map<Customer, Answer[]>(customers.map((customer) => [customer, []]));
    const answers = await load(3, async (n) => {
      const customer = customers[n % customers.length] as Customer;
      const answer = await ask(customer, model, n % 2 === 0);
      answered.get(customer)?.push(answer);
      return answer;
    });
    for (const answer of answers) expectAnswered(answer);
    const fellOver = answers.filter((answer) => generationOf(answer).endsWith('-2'));
    // A missing model is no failure of its provider, which may have the others.
    if (model === 'at-404') expect(fellOver).toHaveLength(answers.length);
    else {
      expect(fellOver.length).toBeGreaterThanOrEqual(5);
      const [customer] = customers;
      const next = await ask(customer as Customer, model, true);
      expect(next.headers.get('x-kissapi-failed-attempts')).toBeNull();
      answered.get(customer as Customer)?.push(next);
    }
    for (const [customer, own] of answered) await expectChargedOnce(customer, own, 'upstream_refused');
  });

  it('sends nothing of a stream for ten seconds: the second answers', async () => {
    const customer = await gateway.openAccount();
    const answers = await Promise.all(['silent', 'only-comments'].map((model) => ask(customer, model, true)));
    for (const answer of answers) {
      expectAnswered(answer);
      expect(answer.headers.get('x-kissapi-failed-attempts')).toBe('openai=upstream_timeout');
    }
    await expectChargedOnce(customer, answers, 'upstream_failed');
  });

  it('breaks a stream that has begun: that customer alone sees it, and pays what was delivered', async () => {
    const customer = await gateway.openAccount();
    const broken = await ask(customer, 'dies-mid-stream', true);
    expect(wordsOf(broken)).toBe('This is');
    expect(errorChunkOf(broken)).toMatchObject({ code: 'upstream_error' });
    const { events } = await checkSettledBooks(gateway, customer.accountId);
    expect(storyOf(events, broken)).toEqual(['CreditsReserved', expect.stringMatching(/^HoldSettled 0\.0*[1-9]/)]);
    expect(askedOfFirst('dies-mid-stream')).toBe(1);
  });

  it('breaks a stream of which a whole answer is assembled: the second answers', async () => {
    // Credits for few further answers, so the hold grows in steps while the answer is assembled.
    const customer = await gateway.openAccount('0.05');
    const answer = await ask(customer, 'dies-mid-stream', false, { max_tokens: undefined });
    expectAnswered(answer);
    const sent = one.bodies.findLast((body) => modelIn(body) === 'dies-mid-stream') ?? '';
    expect(JSON.parse(sent)).toMatchObject({ stream: true });
    await expectChargedOnce(customer, [answer], 'upstream_failed');
  });
});

describe('the request id of an answer that came from the second provider', () => {
  const attempts = (uuid: string) => [
    { id: `gen-${uuid}`, provider_name: 'openai', status: 'released', detail: expect.any(String) as string },
    { id: `gen-${uuid}-2`, provider_name: 'deepseek', status: 'settled', detail: null },
  ];

  it('finds both attempts: on the receipt, for staff and on the command line', async () => {
    const customer = await gateway.openAccount();
    const answer = await ask(customer, 'at-404', false);
    const uuid = uuidOf(answer);
    for (const [id, data] of [
      [`req_${uuid}`, `gen-${uuid}-2`],
      [`gen-${uuid}`, `gen-${uuid}`],
      [`gen-${uuid}-2`, `gen-${uuid}-2`],
    ]) {
      const headers = { authorization: `Bearer ${customer.apiKey}` };
      const receipt = await fetch(`${gateway.url}/v1/generation?id=${id}`, { headers });
      expect(await receipt.json()).toMatchObject({ data: { id: data }, attempts: attempts(uuid) });
    }
    const found = await gateway.manage<{ generations: object[] }>('GET', `/requests/req_${uuid}`);
    expect(found).toMatchObject({
      charged_usd: costUsdOf(answer),
      generations: [{ generation_id: `gen-${uuid}-2` }, { generation_id: `gen-${uuid}` }],
    });
    const search = await gateway.manage<{ data: { generation_id: string }[] }>('POST', '/search', { q: `req_${uuid}` });
    const ids = search.data.map(({ generation_id }) => generation_id);
    expect(ids).toEqual(expect.arrayContaining([`gen-${uuid}`, `gen-${uuid}-2`]));
    for (const command of ['explain', 'replay']) {
      const env = { DATABASE_URL: premises.databaseUrl };
      const { code, stdout } = await runCommand(command, [`req_${uuid}`], { env });
      expect(code, stdout).toBe(0);
      const told = stdout.matchAll(
        /#\d+ {2}(Held|Gave back|Charged) .*? for gen-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(-2)?[ :,]/g,
      );
      const steps = [...told].map(([, what, later = '']) => `${what}${later}`);
      expect(steps).toEqual(['Held', 'Gave back', 'Held-2', 'Charged-2']);
    }
  });
});

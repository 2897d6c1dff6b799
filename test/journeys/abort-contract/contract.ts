import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditedOne, untouched, type Customer, type Ended } from '../../support/customers/audit.ts';
import { createHouse, type House } from '../../support/house.ts';
import { shared } from '../../support/shared.ts';
import { createScriptedUpstream, type ScriptedUpstream } from '../../support/scripted-upstream.ts';
import { errorChunkOf, errorOf, send, type Answer, type Sent } from '../../support/traffic.ts';

const columns = ['file', 'name', 'answer', 'charged', 'sees', 'shouldRetry', 'log'] as const;
type Row = Readonly<Record<(typeof columns)[number], string>>;

/** The table of docs/abort-contract.md, row by row. */
export const rows: readonly Row[] = readFileSync('docs/abort-contract.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| *`/.test(line))
  .map((line) =>
    line
      .slice(1, -2)
      .split(' | ')
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
  .map((cells) => Object.fromEntries(columns.map((column, n) => [column, cells[n] ?? ''])) as Row);

/** What came of a case, for the customer and in the log. */
export type Seen = {
  readonly answer: Answer;
  /** Whether it was the customer who ended it. */
  readonly left?: boolean;
  readonly generation: Ended | undefined;
};
type Came = Omit<Seen, 'generation'>;

/** Where a case is played. */
export type At = {
  readonly house: House;
  readonly upstream: ScriptedUpstream;
  readonly customer: Customer;
  readonly streamed: boolean;
  /** Asks as the customer, whole or streamed as the row has it. */
  ask(fields?: object): Sent;
};

export const question = (streamed: boolean, fields: object = {}): object => ({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'How are you?' }],
  ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
  ...fields,
});
/** What our tokenizer makes of that prompt. */
export const PROMPT_TOKENS = 4;

/** A case that leads to one generation, with the books of the customer checked after it. */
export const one =
  <Where extends At = At>(act: (at: Where) => Promise<Came>) =>
  async (at: Where): Promise<Seen> => {
    const { result, generation } = await auditedOne(at.house, at.customer, () => act(at));
    return { ...result, generation };
  };

/** A case of which nothing must be in the log. */
export const none =
  <Where extends At = At>(act: (at: Where) => Promise<Came>) =>
  async (at: Where): Promise<Seen> => ({
    ...(await untouched(at.house, at.customer, () => act(at))),
    generation: undefined,
  });

/** Waits for the answer; or leaves, and tells what had come. */
export const answered = async (sent: Sent): Promise<Came> => ({ answer: await sent.answer });
export const left = async (sent: Sent): Promise<Came> => {
  sent.leave();
  return { answer: await sent.answer, left: true };
};

/** What a case looked like, in the words of the table. */
const told = ({ answer, left = false, generation }: Seen): Pick<Row, 'charged' | 'sees' | 'shouldRetry' | 'log'> => ({
  charged: chargedAs(generation),
  sees: left ? (answer.status === undefined ? 'nothing' : '200, as far as it read') : seesOf(answer),
  shouldRetry: answer.headers.get('x-should-retry') ?? '—',
  log: generation ? logOf(generation) : 'nothing',
});

const chargedAs = (generation: Ended | undefined): string => {
  if (!generation?.delivery) return 'nothing';
  const { usage_source, anomalies } = generation.delivery;
  const isBeyond = anomalies.includes('output_beyond_limit') || anomalies.includes('input_beyond_bound');
  const rest = isBeyond ? ', up to the limit' : ', as far as there is credit';
  return `what was ${usage_source}${generation.writtenOff > 0n ? rest : ''}`;
};

const seesOf = (answer: Answer): string => {
  const { status, body, whole } = answer;
  if (status === undefined) return 'a broken connection';
  if (status !== 200) return `${status} ${errorOf(answer).code}`;
  if (!whole) return '200, a broken connection';
  if (!body.startsWith('data:') && !body.startsWith(':')) return '200, the answer';
  const error = errorChunkOf(answer);
  if (error) return `200, error ${error.code ?? 'of the provider'}`;
  const short = /"finish_reason":"length".*"kissapi":.*"code":"(\w+)"/.exec(body);
  expect(body.endsWith('data: [DONE]\n\n'), 'a stream ends with [DONE] or with an error').toBe(true);
  return short ? `200, length (${short[1]}), [DONE]` : '200, the stream, [DONE]';
};

/** Whatever the answer is, it names the generation that is in the log, and none where there is none. */
const expectNamed = ({ answer, generation }: Seen): void => {
  const { status, headers, body } = answer;
  if (status === undefined) return;
  for (const name of ['x-kissapi-generation-id', 'x-generation-id']) {
    expect(headers.get(name), name).toBe(generation?.generationId ?? null);
  }
  if (status === 200) return;
  expect((JSON.parse(body) as { error: { generation_id?: string } }).error.generation_id).toBe(
    generation?.generationId,
  );
};

const logOf = ({ by, delivery, reason, detail, writtenOff }: Ended): string => {
  if (!delivery) return `${by} ${reason}: ${detail?.replace(/run \S+ died/, 'its run died')}`;
  const { usage_source, ended, anomalies } = delivery;
  const odd = anomalies.length > 0 ? ` (${anomalies.join(', ')})` : '';
  return `${by} ${ended}, ${usage_source}${odd}${writtenOff > 0n ? '; UsageWrittenOff' : ''}`;
};

type Place = Pick<At, 'house' | 'upstream'> & { close(): Promise<void> };

const createPlace = async (env: Readonly<Record<string, string>>): Promise<Place> => {
  const upstream = await createScriptedUpstream();
  const house = await createHouse({ OPENAI_UPSTREAM_URL: upstream.url, ...env });
  const close = async (): Promise<void> => {
    await house.close();
    await upstream.close();
  };
  return { house, upstream, close };
};

/** Files that need no settings of their own share one gateway. The others that they start end with them. */
const placeWith = async (env: Readonly<Record<string, string>>): Promise<Place> => {
  if (Object.keys(env).length > 0) return createPlace(env);
  const { house, upstream } = await shared('abort contract', () => createPlace({}));
  return { house, upstream, close: () => house.premises.killOthers(house.gateway) };
};

type RowTest = (
  name: string,
  see: (at: At) => Promise<Seen>,
  options?: {
    readonly usd?: string;
    /** What the row has no column for. */
    readonly check?: (seen: Seen, at: At) => unknown;
  },
) => void;

/** The tests of the rows that name this file: each row has one, and each of them a row, of which all columns are true. */
export const contract = (
  file: string,
  env: Readonly<Record<string, string>>,
  define: (row: RowTest, place: () => Pick<At, 'house' | 'upstream'>) => void,
): void => {
  describe(file, () => {
    let house: House;
    let upstream: ScriptedUpstream;
    let close: Place['close'];
    beforeAll(async () => void ({ house, upstream, close } = await placeWith(env)));
    afterAll(() => close());

    const own = rows.filter((one) => one.file === file);
    const tested: string[] = [];
    const row: RowTest = (name, see, { usd = '5.00', check } = {}) => {
      tested.push(name);
      for (const due of own) {
        if (due.name !== name) continue;
        for (const streamed of due.answer === 'both' ? [false, true] : [due.answer === 'streamed']) play(due, streamed);
      }
      function play({ charged, sees, shouldRetry, log }: Row, streamed: boolean): void {
        it(`${name} (${streamed ? 'streamed' : 'whole'})`, async () => {
          const customer = await house.gateway.openAccount(usd);
          const ask = (fields?: object): Sent =>
            send(house.gateway, customer.apiKey, '/chat/completions', question(streamed, fields));
          const at = { house, upstream, customer, streamed, ask };
          const seen = await see(at);
          expect(told(seen)).toEqual({ charged, sees, shouldRetry, log });
          expectNamed(seen);
          await check?.(seen, at);
        });
      }
    };
    define(row, () => ({ house, upstream }));

    // A test without a row fails here too.
    it('has one test for each of its rows', () =>
      expect(tested.toSorted()).toEqual([...new Set(own.map(({ name }) => name))].toSorted()));
  });
};

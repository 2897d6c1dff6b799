import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { APIError, APIUserAbortError } from 'openai';
import { costIn, simulate } from '../house.ts';

/** What somebody was told that a generation cost them. */
export type Told = { readonly generationId: string; readonly costUsd: unknown };

export type Customers = {
  readonly told: readonly Told[];
  /** How many that came with a key were told in the end what became of it. */
  readonly keysDone: number;
  /** Lets everybody finish what was begun. */
  stop(): Promise<void>;
};

export type CustomersOptions = {
  /** Without a path, as of a gateway. */
  readonly url: string;
  readonly apiKeys: readonly string[];
  readonly model: string;
};

/** One way to ask, again and again. */
type Habit = {
  readonly stream: boolean;
  /** Under a key of its own, each time until it is known what became of it. */
  readonly keyed: boolean;
  /** Leaves where nothing comes for a while. */
  readonly impatient: boolean;
};

const HABITS: readonly Habit[] = [
  { stream: true, keyed: true, impatient: false },
  { stream: true, keyed: true, impatient: true },
  { stream: true, keyed: false, impatient: false },
  { stream: false, keyed: true, impatient: true },
  { stream: false, keyed: false, impatient: false },
];

const IMPATIENT_AFTER_MS = 2500;
/** What may become of an answer while gateways come and go; undefined is a connection that broke. Anything else is a fault. */
const EXPECTED: readonly (number | undefined)[] = [undefined, 402, 409, 429, 503];

/** Customers of every habit for each account, with the official client, which retries as it does by itself. */
export const startCustomers = ({ url, apiKeys, model }: CustomersOptions): Customers => {
  const told: Told[] = [];
  let keysDone = 0;
  let stopping = false;
  let serial = 0;

  const ask = async (
    client: OpenAI,
    { stream, impatient }: Habit,
    n: number,
    headers: Record<string, string> = {},
  ): Promise<void> => {
    const outputTokens = 5 + ((n * 37) % 80);
    const body = {
      model,
      messages: [{ role: 'user' as const, content: `Question ${n}` }],
      max_tokens: 100,
      ...simulate({ outputTokens, tokenMs: stream ? 40 : 5, firstByteMs: (n * 53) % 200 }),
    };
    const left = new AbortController();
    const options = { headers, signal: left.signal };
    if (!stream) {
      const { data, response } = await client.chat.completions.create(body, options).withResponse();
      const costUsd = response.headers.get('x-kissapi-cost-usd');
      told.push({ generationId: idIn(response.headers), costUsd });
      told.push({ generationId: idIn(response.headers), costUsd: costIn(data.usage) });
      return;
    }
    const wish = { ...body, stream: true as const, stream_options: { include_usage: true } };
    const { data, response } = await client.chat.completions.create(wish, options).withResponse();
    const patience = impatient ? setTimeout(() => left.abort(), IMPATIENT_AFTER_MS) : undefined;
    let usage: unknown;
    try {
      for await (const chunk of data) {
        patience?.refresh();
        usage = chunk.usage ?? usage;
      }
    } finally {
      clearTimeout(patience);
    }
    // The client ends a stream that was left as if it were complete.
    if (left.signal.aborted) throw new APIUserAbortError();
    told.push({ generationId: idIn(response.headers), costUsd: costIn(usage) });
  };

  /** As a program does that must have its answer, or know that it was paid for. */
  const insist = async (client: OpenAI, habit: Habit): Promise<void> => {
    const n = serial++;
    const headers = { 'Idempotency-Key': randomUUID() };
    for (;;) {
      try {
        await ask(client, habit, n, headers);
        return void keysDone++;
      } catch (error) {
        const { status, code, headers: said } = expected(error);
        if (status === 402 || status === 429) return;
        if (code === 'idempotency_key_used') {
          told.push({ generationId: idIn(said), costUsd: said?.get('x-kissapi-cost-usd') });
          return void keysDone++;
        }
        await sleep(100);
      }
    }
  };

  const live = async (apiKey: string, habit: Habit): Promise<void> => {
    const timeout = habit.impatient ? { timeout: IMPATIENT_AFTER_MS } : {};
    // Those that insist come by a connection of their own each time, and so to whatever gateway is new; others keep theirs.
    const defaultHeaders = habit.keyed ? { connection: 'close' } : {};
    const client = new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 1, defaultHeaders, ...timeout });
    while (!stopping) {
      if (habit.keyed) await insist(client, habit);
      else await ask(client, habit, serial++).catch(expected);
      // Who is refused does not storm the door.
      await sleep(50);
    }
  };

  const everybody = Promise.all(apiKeys.flatMap((apiKey) => HABITS.map((habit) => live(apiKey, habit))));
  // Told to who stops them; until then nobody waits for it.
  everybody.catch(() => undefined);
  return {
    told,
    get keysDone() {
      return keysDone;
    },
    stop: async () => {
      stopping = true;
      await everybody;
    },
  };
};

const idIn = (headers: Headers | undefined): string => headers?.get('x-kissapi-generation-id') ?? '';

const expected = (error: unknown): Pick<APIError, 'status' | 'code' | 'headers'> => {
  // What breaks in the middle of a stream is an error of fetch's own.
  if (error instanceof TypeError && error.message === 'terminated')
    return { status: undefined, code: null, headers: undefined };
  if (error instanceof APIError && EXPECTED.includes(error.status) && error.code !== 'idempotency_key_reused')
    return error;
  throw error;
};

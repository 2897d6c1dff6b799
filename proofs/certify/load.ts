import { setTimeout as sleep } from 'node:timers/promises';
import { formatUsd } from '../../src/domain/money.ts';
import { ADMIN_TOKEN, type RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import {
  chat,
  costUsdOf,
  errorOf,
  generationOf,
  type Answer,
  type Sent,
  type Wish,
} from '../../test/support/traffic.ts';
import type { Random } from '../random.ts';
import type { Record } from './record.ts';

/** An account with the keys that can be used now, some of which may just have been revoked. */
export type Customer = {
  readonly accountId: string;
  readonly keys: { readonly keyId: string; readonly secret: string }[];
};

export type Load = {
  /** Waits for the requests in progress. */
  stop(): Promise<void>;
  /** The number of requested completions, acknowledged or not. */
  asked(): number;
  /** The number of completions that were abandoned after a minute without a response. */
  hung(): number;
  /** How often clients got each outcome of a completion: the status, and the code of an error. */
  answers(): ReadonlyMap<string, number>;
  /** The longest time between two complete responses. */
  longestGapMs(): number;
};

export type LoadOptions = {
  /** The address that requests are sent to. */
  readonly door: Pick<RunningGateway, 'url'>;
  readonly customers: readonly Customer[];
  readonly record: Record;
  readonly random: Random;
  readonly clients?: number;
};

/** Some accounts can always pay; others have so little that they are refused as often as served. */
const CREDITS_USD = ['5.00', '5.00', '5.00', '0.002', '0.0005', '0.001'];
const CLIENTS = 8;
const KEYS_EACH = 2;
/** A request that takes longer has found a fault. */
const PATIENCE_MS = 60_000;

export const openCustomers = async ({ openAccount }: RunningGateway): Promise<readonly Customer[]> =>
  Promise.all(
    CREDITS_USD.map(async (usd) => {
      const { accountId, apiKey, keyId } = await openAccount(usd);
      return { accountId, keys: [{ keyId, secret: apiKey }] };
    }),
  );

/** Responses of all lengths and outcomes, none longer than a second or two. */
const wishOf = (random: Random): Wish & { readonly leaveAfterMs?: number } => {
  const outputTokens = random.between(3, 60);
  const streamed = { stream: true, maxTokens: 80, simulate: { outputTokens, tokenMs: random.between(1, 20) } };
  const fate = random.between(0, 99);
  if (fate < 50) return streamed;
  if (fate < 65) return { ...streamed, leaveAfterMs: random.between(5, 600) };
  if (fate < 90) return { maxTokens: 80, simulate: { outputTokens, firstByteMs: random.between(0, 300) } };
  if (fate < 93) return { ...streamed, simulate: { ...streamed.simulate, breakAfter: 3 } };
  if (fate < 95) return { maxTokens: 80, simulate: { status: 500 } };
  return { simulate: { outputTokens } }; // Capped at what the account can afford.
};

const SERVED = '200';

const outcomeOf = (answer: Answer, left: boolean): string => {
  if (costUsdOf(answer) !== undefined) return SERVED;
  if (left && !answer.whole) return 'left by the client';
  if (answer.status === undefined) return 'no response';
  if (answer.status === 200) return '200, broken off';
  const retry = answer.headers.get('x-should-retry') === 'true' ? ', retry' : '';
  return `${answer.status} ${answer.whole ? errorOf(answer).code : 'broken off'}${retry}`;
};

/** Requests completions, grants credits, and issues and revokes keys, until stopped. */
export const startLoad = ({ door, customers, record, random, clients = CLIENTS }: LoadOptions): Load => {
  let stopping = false;
  let asked = 0;
  let hung = 0;
  let serial = 0;
  const answers = new Map<string, number>();
  let lastServed = performance.now();
  let longestGapMs = 0;
  /** Unique for this load, because several loads may run one after another on the same accounts. */
  const name = `load ${random.between(0, 999_999_999)}`;

  const patiently = (sent: Sent): Sent['answer'] => {
    const timeout = setTimeout(() => {
      hung++;
      sent.leave();
    }, PATIENCE_MS);
    return sent.answer.finally(() => clearTimeout(timeout));
  };

  const complete = async (): Promise<void> => {
    const { accountId, keys } = random.oneOf(customers);
    const { leaveAfterMs, ...wish } = wishOf(random);
    const sent = chat(door, random.oneOf(keys).secret, wish);
    asked++;
    if (leaveAfterMs !== undefined) setTimeout(sent.leave, leaveAfterMs);
    const answer = await patiently(sent);
    const costUsd = costUsdOf(answer);
    const outcome = outcomeOf(answer, leaveAfterMs !== undefined);
    answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
    if (outcome === SERVED) {
      longestGapMs = Math.max(longestGapMs, performance.now() - lastServed);
      lastServed = performance.now();
    }
    if (costUsd !== undefined)
      record.add({ what: 'completion', accountId, generationId: generationOf(answer), costUsd });
    // Refused clients retry more slowly.
    await sleep(answer.status === 200 ? random.between(0, 50) : random.between(50, 150));
  };

  /**
   * Repeats a request with the same idempotency key until it is acknowledged, possibly by another gateway. Some first
   * attempts time out early; to the gateway this is a broken connection.
   */
  const insist = async <Body>(method: string, path: string, key: string, body?: unknown): Promise<Body | undefined> => {
    for (let tries = 0; ; tries++) {
      const patienceMs = tries === 0 && random.between(0, 3) === 0 ? random.between(1, 20) : PATIENCE_MS;
      try {
        const response = await fetch(`${door.url}/api${path}`, {
          method,
          headers: {
            authorization: `Bearer ${ADMIN_TOKEN}`,
            'content-type': 'application/json',
            'idempotency-key': key,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(patienceMs),
        });
        if (response.ok) return (await response.json()) as Body;
        if (response.status < 500) return undefined; // A refusal, for example because the account has too many keys.
      } catch {
        // Repeated below.
      }
      await sleep(random.between(20, 200));
    }
  };

  const grant = async (): Promise<void> => {
    const { accountId } = random.oneOf(customers);
    const id = `${name} grant ${serial++}`;
    const body = { usd: formatUsd(BigInt(random.between(1, 500)) * 1000n), reason: id };
    if (await insist('POST', `/accounts/${accountId}/grants`, id, body)) {
      record.add({ what: 'grant', accountId, ...body });
    }
    await sleep(random.between(20, 200));
  };

  const changeKeys = async (): Promise<void> => {
    const { accountId, keys } = random.oneOf(customers);
    const id = `${name} key ${serial++}`;
    type Key = { readonly key_id: string; readonly secret: string | null };
    const issued = await insist<Key>('POST', `/accounts/${accountId}/keys`, id, { name: id });
    if (issued) {
      const { key_id: keyId, secret } = issued;
      record.add({ what: 'key', accountId, name: id, keyId });
      // If the first response was lost, the secret is lost as well.
      if (secret !== null) keys.push({ keyId, secret });
      const oldest = keys.length > KEYS_EACH ? keys[0] : undefined;
      if (oldest && (await insist('DELETE', `/accounts/${accountId}/keys/${oldest.keyId}`, id))) {
        record.add({ what: 'revocation', accountId, keyId: oldest.keyId });
        keys.shift();
      }
    }
    await sleep(random.between(200, 600));
  };

  const again = async (act: () => Promise<void>): Promise<void> => {
    while (!stopping) await act();
  };
  const everybody = [...Array.from({ length: clients }, () => complete), grant, grant, changeKeys].map(again);
  return {
    asked: () => asked,
    hung: () => hung,
    answers: () => answers,
    longestGapMs: () => longestGapMs,
    stop: async () => {
      stopping = true;
      await Promise.all(everybody);
    },
  };
};

import { afterAll, beforeAll, type TestContext } from 'vitest';
import type { ScriptedUpstream } from '../../support/scripted-upstream.ts';
import { anotherGateway } from './another-gateway.ts';
import type { Nano, Prices, Tokens } from '../../support/money.ts';

/** A gateway under test, from outside. Capabilities that not every gateway has are optional; scenarios that need them are skipped. */
export type Target = {
  /** Base URLs, ending in `/v1`, of the nodes that share the customers; at least one. */
  readonly nodes: readonly string[];
  /** The server that the gateway uses as its providers; each test scripts its responses. */
  readonly upstream: ScriptedUpstream;
  /** A chat model that streams every token that it bills. */
  readonly model: string;
  /** The prices that the gateway publishes. */
  prices(model: string): Promise<Prices>;
  /** A new customer with this credit and one key, visible on all nodes. */
  openCustomer(usd: string): Promise<Customer>;
  /** How long a provider may be silent before the gateway gives it up; undefined if that is not known to be short. */
  readonly silenceMs: number | undefined;
  /** `kill -9` of the first node, and its restart. */
  readonly crash?: () => Promise<void>;
  readonly restart?: () => Promise<void>;
  /** Stops the second node (SIGSTOP) until the returned function is called. */
  readonly pause?: () => () => void;
  close(): Promise<void>;
};

export type Customer = {
  readonly apiKey: string;
  /** The balance on a node, by default the first. `held` is 0 at gateways without holds. */
  balance(node?: number): Promise<{ readonly balance: Nano; readonly held: Nano }>;
  /** Everything that was credited and spent, as a node returns it, and what the key has spent. */
  readonly totals?: (node?: number) => Promise<{ readonly credited: Nano; readonly spent: Nano; readonly byKey: Nano }>;
  readonly receipt?: (generationId: string, node?: number) => Promise<Receipt>;
  /** All changes of money, in order. */
  readonly history?: () => Promise<readonly Entry[]>;
  /** Grants credits, and returns the HTTP status. */
  readonly grant?: (grant: Grant) => Promise<number>;
  /** Each changes the account without changing money. */
  readonly edits?: readonly ((node: number) => Promise<unknown>)[];
};

export type Grant = {
  readonly usd: string;
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly node?: number;
  /** By default the administrator's. */
  readonly authorization?: string;
};

export type Receipt = { readonly status: string; readonly cost: Nano; readonly tokens: Tokens };

export type Entry = {
  readonly kind: 'credited' | 'held' | 'charged' | 'given_back' | 'written_off' | 'other';
  readonly amount: Nano;
  readonly generationId: string | undefined;
};

export type TargetOptions = {
  readonly nodes?: 1 | 2;
  /** How long a provider may be silent. */
  readonly silenceMs?: number;
};

/** One target for all tests of a file: KissAPI, or another gateway if the environment names one. */
export const useTarget = (options: TargetOptions = {}): { readonly target: Target } => {
  let target: Target | undefined;
  beforeAll(async () => {
    if (process.env['REGRESSION_BASE_URL'] !== undefined) target = await anotherGateway(process.env);
    // KissAPI's code is loaded only in this case.
    else target = await (await import('./our-gateway.ts')).ourGateway(options);
  });
  afterAll(() => target?.close());
  return {
    get target() {
      if (!target) throw new Error('The target does not exist before the tests begin.');
      return target;
    },
  };
};

/** A capability that a scenario needs. If the target lacks it, the scenario is skipped with a line that names it. */
export const need = <T>({ task, skip }: TestContext, means: T | undefined, what: string): T => {
  if (means !== undefined) return means;
  console.log(`Skipped, because this gateway has no ${what}: ${task.name}`);
  return skip();
};

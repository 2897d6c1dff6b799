import { afterAll, beforeAll, type TestContext } from 'vitest';
import type { ScriptedUpstream } from '../../support/scripted-upstream.ts';
import { shared } from '../../support/shared.ts';
import { anotherGateway } from './another-gateway.ts';
import type { Nano, Prices, Tokens } from '../../support/money.ts';

/** A gateway under test, from outside. What only some can do is optional: scenarios that need it say so and are left out. */
export type Target = {
  /** Base URLs of `/v1`, of nodes that share the customers; there may be one only. */
  readonly nodes: readonly string[];
  /** Where the gateway believes its providers to be: each test says what they answer. */
  readonly upstream: ScriptedUpstream;
  /** A chat model whose every token is seen as it streams. */
  readonly model: string;
  /** As published by the gateway itself. */
  prices(model: string): Promise<Prices>;
  /** A new customer, known to all nodes, with so much credit and one key. */
  openCustomer(usd: string): Promise<Customer>;
  /** How long a provider may be silent before it is given up; undefined where that is not known to be short. */
  readonly silenceMs: number | undefined;
  /** kill -9 of the first node, and the way back. */
  readonly crash?: () => Promise<void>;
  readonly restart?: () => Promise<void>;
  /** Stops the second node where it is, for as long as until the returned is called. */
  readonly pause?: () => () => void;
  close(): Promise<void>;
};

export type Customer = {
  readonly apiKey: string;
  /** As a node tells it, the first one unless said. `held` is 0 at gateways that know of no holds. */
  balance(node?: number): Promise<{ readonly balance: Nano; readonly held: Nano }>;
  /** All that ever came in and went out, as a node tells it; and what the key has spent. */
  readonly totals?: (node?: number) => Promise<{ readonly credited: Nano; readonly spent: Nano; readonly byKey: Nano }>;
  readonly receipt?: (generationId: string, node?: number) => Promise<Receipt>;
  /** Everything about money that happened, in order. */
  readonly history?: () => Promise<readonly Entry[]>;
  /** Credits by hand, the only way in until payments are there. */
  readonly grant?: (grant: Grant) => Promise<number>;
  /** Each writes to the account, and is none of money's business. */
  readonly edits?: readonly ((node: number) => Promise<unknown>)[];
};

export type Grant = {
  readonly usd: string;
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly node?: number;
  /** The administrator's, unless said. */
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

/** KissAPI itself runs on for the files of the same worker that ask for the same. */
const ourTarget = async (options: TargetOptions): Promise<Target> => {
  const { ourGateway } = await import('./our-gateway.ts');
  return shared(`target ${JSON.stringify(options)}`, () => ourGateway(options));
};

/** One target for all tests of a file: KissAPI itself, or another gateway if the environment names one. */
export const useTarget = (options: TargetOptions = {}): { readonly target: Target } => {
  let target: Target | undefined;
  const isOurs = process.env['REGRESSION_BASE_URL'] === undefined;
  beforeAll(async () => void (target = await (isOurs ? ourTarget(options) : anotherGateway(process.env))));
  afterAll(() => (isOurs ? undefined : target?.close()));
  return {
    get target() {
      if (!target) throw new Error('There is no target before the tests begin.');
      return target;
    },
  };
};

/** What a scenario cannot do without; it is left out, in one line that says why, where a target has none. */
export const need = <T>({ task, skip }: TestContext, means: T | undefined, what: string): T => {
  if (means !== undefined) return means;
  console.log(`Left out, as this gateway has no ${what}: ${task.name}`);
  return skip();
};

import type { CreemControl, DeliveryFault } from '@kissapi/creem-stand-in';
import { afterAll, beforeAll, type TestContext } from 'vitest';
import type { ScriptedUpstream } from '../../support/scripted-upstream.ts';
import { shared } from '../../support/shared.ts';
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
  readonly payments?: Payments;
  close(): Promise<void>;
};

/** A payment partner, of which the gateway takes payments. */
export type Payments = {
  /** What the partner and the banks of customers do. */
  readonly partner: CreemControl;
  /** Delivers an event of the partner to a node. Resolves to the HTTP status. */
  deliver(eventId: string, how?: { readonly node?: number; readonly fault?: DeliveryFault }): Promise<number>;
  /** Delivers any bytes with any signature. Resolves to the HTTP status. */
  post(body: string, signature: string): Promise<number>;
  /** Moves the time by which the gateway decides forward. */
  pass(ms: number): Promise<void>;
  /** Starts a further node with this webhook secret. Resolves to what it prints; rejects if it runs. */
  startsNot(webhookSecret: string): Promise<string>;
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
  readonly payments?: CustomerPayments;
  /** Each changes the account without changing money. */
  readonly edits?: readonly ((node: number) => Promise<unknown>)[];
};

/** What a customer and the staff of the gateway do with payments. Each resolves to the HTTP status unless stated. */
export type CustomerPayments = {
  /** Opens a payment page. If the partner gives none, it is repeated under the same key. */
  topUp(usd: string): Promise<{ readonly paymentId: string; readonly checkoutId: string }>;
  /** Returns from the payment page to a page of the gateway. */
  returns(paymentId: string): Promise<number>;
  /** Staff credits a transaction that was not credited. */
  release(paymentId: string, transactionId: string, usd: string, node: number): Promise<number>;
  /** Asks for a refund of all that is left of a payment. Resolves to its id, once staff can answer it. */
  askRefund(paymentId: string): Promise<string>;
  approve(paymentId: string, refundId: string, node: number): Promise<number>;
  figures(node?: number): Promise<Readonly<Record<'balance' | 'toppedUp' | 'charged' | 'refunded' | 'debt', Nano>>>;
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
  readonly kind: 'credited' | 'held' | 'charged' | 'given_back' | 'written_off' | 'taken_back' | 'other';
  readonly amount: Nano;
  readonly generationId: string | undefined;
};

export type TargetOptions = {
  readonly nodes?: 1 | 2;
  /** How long a provider may be silent. */
  readonly silenceMs?: number;
  /** Whether customers can pay. */
  readonly payments?: boolean;
};

/** KissAPI is loaded and started only here. It runs on for the files of the same worker with the same options. */
const ourTarget = async (options: TargetOptions): Promise<Target> => {
  const { ourGateway } = await import('./our-gateway.ts');
  return shared(`target ${JSON.stringify(options)}`, () => ourGateway(options));
};

/** One target for all tests of a file: KissAPI, or another gateway if the environment names one. */
export const useTarget = (options: TargetOptions = {}): { readonly target: Target } => {
  let target: Target | undefined;
  const isOurs = process.env['REGRESSION_BASE_URL'] === undefined;
  beforeAll(async () => void (target = await (isOurs ? ourTarget(options) : anotherGateway(process.env))));
  afterAll(() => (isOurs ? undefined : target?.close()));
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

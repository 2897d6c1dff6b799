import { expect, vi } from 'vitest';
import { agrees, arithmetic, check } from '../../../src/cli/account-history/arithmetic.ts';
import { listedLines, tellRequest } from '../../../src/cli/account-history/charge.ts';
import type { RunningGateway } from '../gateway.ts';
import type { House } from '../house.ts';
import { nanoUsd, sum } from '../money.ts';
import { SOON } from '../soon.ts';

export type Customer = Awaited<ReturnType<RunningGateway['openAccount']>>;

/** How one generation ended, as the log tells it; money in nano-USD. */
export type Ended = {
  readonly generationId: string;
  /** The event that ended it; a late charge comes after its hold was given back. */
  readonly by: 'HoldSettled' | 'HoldReleased' | 'LateUsageCharged';
  readonly held: bigint;
  readonly charged: bigint;
  readonly writtenOff: bigint;
  /** As decimal USD, the way a customer reads it. */
  readonly chargedUsd: string;
  /** Tokens by class and what is known of the delivery; undefined where nothing was charged. */
  readonly tokens: Readonly<Record<string, number>> | undefined;
  readonly delivery: Delivery | undefined;
  /** Why the hold was released, where it was; what was then charged late is among the above. */
  readonly reason: string | undefined;
  readonly detail: string | undefined;
};

/** Where the books are read: of a house, or of whatever else has a gateway and a log. */
export type Books = Pick<House, 'gateway' | 'store'>;

type Audited<T> = { readonly result: T; readonly generations: readonly Ended[] };

type Delivery = {
  readonly usage_source: string;
  readonly ended: string;
  readonly finish_reason: string | null;
  readonly upstream_id: string | null;
  readonly anomalies: readonly string[];
};
type Price = {
  readonly model: string;
  readonly version: number;
  readonly usd_per_million_tokens: Readonly<Record<string, string>>;
};
type Data = {
  readonly generation_id: string;
  readonly amount_usd: string;
  readonly tokens_beyond?: Readonly<Record<string, number>> | null;
  readonly by_usd: string;
  readonly price: Price;
  readonly tokens: Readonly<Record<string, number>>;
  readonly cost_usd: string;
  readonly charged_usd: string;
  readonly held_usd: string;
  readonly released_usd: string;
  readonly drawn: readonly { readonly amount_usd: string }[];
  readonly delivery: Delivery;
  readonly reason: string;
  readonly detail: string;
};
type LoggedEvent = { readonly revision: number; readonly type: string; readonly data: Data };
type AccountNow = {
  readonly revision: number;
  readonly balance_usd: string;
  readonly held_usd: string;
  readonly available_usd: string;
  readonly open_holds: readonly unknown[];
};

/** USD per million tokens is pico-USD per token, but for six zeros. */
const picoPerToken = (usdPerMillion: string): bigint => nanoUsd(usdPerMillion) / 1000n;

/**
 * Lets a customer do something, and then shows that the books agree about every generation it led to: the balance
 * before less what was charged is the balance after, no hold is left, and each charge follows from its tokens and its
 * price alone, whoever is asked.
 */
export const audited = async <T>(house: Books, customer: Customer, act: () => Promise<T>): Promise<Audited<T>> => {
  const before = await accountNow(house, customer);
  expect(before).toMatchObject({ held_usd: '0.00', open_holds: [] });

  const result = await act();
  // If the customer left, the gateway holds and settles after the response has ended.
  const generations = await vi.waitFor(() => agreeing(house, customer, before), SOON);
  return { result, generations };
};

const accountNow = ({ gateway }: Books, { accountId }: Customer): Promise<AccountNow> =>
  gateway.manage<AccountNow>('GET', `/accounts/${accountId}`);

/** The generations since then. Throws while a hold is open, and if the books disagree. */
const agreeing = async (house: Books, customer: Customer, before: AccountNow): Promise<readonly Ended[]> => {
  const { gateway } = house;
  const { accountId } = customer;
  const after = await accountNow(house, customer);
  expect(after).toMatchObject({ held_usd: '0.00', open_holds: [], available_usd: after.balance_usd });
  const events = await eventsFrom(gateway, accountId, before.revision + 1);
  const reserved = events.filter(({ type }) => type === 'CreditsReserved');
  const generations = await Promise.all(reserved.map(({ data }) => checked(house, customer, data, events)));
  expect(nanoUsd(before.balance_usd) - sum(generations.map(({ charged }) => charged))).toBe(nanoUsd(after.balance_usd));
  const { data: credits } = await asCustomer<{ balance: string; held: string }>(gateway, customer, '/credits');
  expect(credits).toMatchObject({ balance: after.balance_usd, held: '0.00' });
  return generations;
};

/** For what leads to exactly one generation. */
export const auditedOne = async <T>(
  house: Books,
  customer: Customer,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly generation: Ended }> => {
  const { result, generations } = await audited(house, customer, act);
  expect(generations).toHaveLength(1);
  return { result, generation: generations[0] as Ended };
};

/** For what must not even reserve. */
export const untouched = async <T>(house: Books, customer: Customer, act: () => Promise<T>): Promise<T> => {
  const { result, generations } = await audited(house, customer, act);
  expect(generations).toEqual([]);
  return result;
};

const eventsFrom = async (gateway: RunningGateway, accountId: string, revision: number): Promise<LoggedEvent[]> => {
  const events: LoggedEvent[] = [];
  for (let from: number | null = revision; from !== null;) {
    const path: string = `/accounts/${accountId}/events?limit=1000&from_revision=${from}`;
    const page: { data: LoggedEvent[]; next_revision: number | null } = await gateway.manage('GET', path);
    events.push(...page.data);
    from = page.next_revision;
  }
  return events;
};

const asCustomer = async <Body>(
  gateway: RunningGateway,
  { apiKey }: Customer,
  path: string,
): Promise<{ data: Body }> => {
  const response = await fetch(`${gateway.url}/v1${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(response.status).toBe(200);
  return (await response.json()) as { data: Body };
};

const checked = async (
  house: Books,
  customer: Customer,
  reserved: Data,
  events: readonly LoggedEvent[],
): Promise<Ended> => {
  const { gateway } = house;
  const generationId = reserved.generation_id;
  const own = events.filter(({ type, data }) => data.generation_id === generationId && type !== 'CreditsReserved');
  const extended = own.filter(({ type }) => type === 'HoldExtended');
  const [end, ...rest] = own.filter(({ type }) => type !== 'UsageWrittenOff' && type !== 'HoldExtended');
  const released = end?.type === 'HoldReleased' ? end.data : undefined;
  // What a process delivered that was taken for dead is charged after its hold was given back.
  const charge = released && rest[0]?.type === 'LateUsageCharged' ? rest.shift() : end;
  expect(rest, 'a hold ends exactly once, and is charged once at most').toEqual([]);
  const { data: receipt } = await asCustomer<Receipt>(gateway, customer, `/generation?id=${generationId}`);
  expect(receipt).toMatchObject({
    id: generationId,
    model: reserved.price.model,
    price_version: reserved.price.version,
  });
  const held = nanoUsd(reserved.amount_usd) + sum(extended.map(({ data }) => nanoUsd(data.by_usd)));
  const { reason, detail } = released ?? {};
  const borne = own.filter(({ type }) => type === 'UsageWrittenOff').map(({ data }) => data);
  const writtenOff = sum(borne.map(({ amount_usd }) => nanoUsd(amount_usd)));
  if (released) expect(nanoUsd(released.released_usd)).toBe(held);
  if (charge?.type === 'HoldReleased') {
    // What one delivered that was taken for dead is the house's loss where the customer has paid for another attempt.
    if (reason !== 'orphaned') expect(writtenOff).toBe(0n);
    expect(receipt).toMatchObject({ status: 'released', total_cost_usd: '0.00', detail: `${reason}: ${detail}` });
    expect(nanoUsd(String(receipt['written_off']))).toBe(writtenOff);
    const nothing = { charged: 0n, chargedUsd: '0.00', tokens: undefined, delivery: undefined };
    return { generationId, by: charge.type, held, ...nothing, writtenOff, reason, detail };
  }

  const by = released ? 'LateUsageCharged' : 'HoldSettled';
  expect(charge?.type).toBe(by);
  const { tokens, price, delivery, ...settled } = (charge as LoggedEvent).data;
  expect(price, 'the price is the one that was pinned').toEqual(reserved.price);
  await expectListed(gateway, customer, price);
  const pico = sum(
    Object.entries(tokens).map(
      ([name, count]) => BigInt(count) * picoPerToken(price.usd_per_million_tokens[name] ?? ''),
    ),
  );
  const cost = (pico + 999n) / 1000n;
  const charged = nanoUsd(settled.charged_usd);
  expect(nanoUsd(settled.cost_usd)).toBe(cost);
  const picoBeyond = sum(
    borne
      .flatMap(({ tokens_beyond }) => Object.entries(tokens_beyond ?? {}))
      .map(([name, count]) => BigInt(count) * picoPerToken(price.usd_per_million_tokens[name] ?? '')),
  );
  expect(charged + writtenOff).toBe(cost + (picoBeyond + 999n) / 1000n);
  expect(sum(settled.drawn.map(({ amount_usd }) => nanoUsd(amount_usd)))).toBe(charged);
  if (!released) {
    expect(nanoUsd(settled.held_usd)).toBe(held);
    expect(nanoUsd(settled.released_usd)).toBe(charged < held ? held - charged : 0n);
  }
  expect(receipt).toMatchObject({
    status: released ? 'late' : 'settled',
    total_cost_usd: settled.charged_usd,
    cost_before_write_off: settled.cost_usd,
    tokens,
    tokens_prompt: (tokens['input'] ?? 0) + (tokens['cached_input'] ?? 0) + (tokens['cache_write'] ?? 0),
    tokens_completion: (tokens['output'] ?? 0) + (tokens['reasoning'] ?? 0),
    usage_source: delivery.usage_source,
    ended: delivery.ended,
    upstream_id: delivery.upstream_id,
    cancelled: delivery.ended === 'client_gone',
  });
  expect(nanoUsd(String(receipt['written_off']))).toBe(writtenOff);
  await expectExplained(house, customer, generationId, settled.charged_usd);
  return {
    generationId,
    by,
    held,
    charged,
    writtenOff,
    chargedUsd: settled.charged_usd,
    tokens,
    delivery,
    reason,
    detail,
  };
};

/** What `npm run explain` works out is the same. Its innards, for a process each would take its time. */
const expectExplained = async (
  { store }: Books,
  { accountId }: Customer,
  generationId: string,
  chargedUsd: string,
): Promise<void> => {
  const { charge } = await tellRequest(store, accountId, generationId);
  if (!charge) throw new Error(`explain knows of no charge for ${generationId}`);
  const whole = { ...charge, listed: await listedLines(store, charge.event.price), projected: undefined };
  expect(check(whole).filter((one) => !agrees(one))).toEqual([]);
  expect(arithmetic(whole)).toMatch(new RegExp(`^charged +${chargedUsd.replaceAll('.', '\\.')} USD$`, 'm'));
};

type Receipt = Readonly<Record<string, unknown>>;

/** The price charged is the price that the customer could read before asking. */
const expectListed = async (gateway: RunningGateway, { apiKey }: Customer, price: Price): Promise<void> => {
  const listed = await gateway.client(apiKey).models.retrieve(price.model);
  expect(listed).toMatchObject({
    price_version: price.version,
    usd_per_million_tokens: price.usd_per_million_tokens,
  });
};

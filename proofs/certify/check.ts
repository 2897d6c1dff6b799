import { accountOfStream } from '../../src/domain/account/account.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { formatUsd } from '../../src/domain/money.ts';
import { decode } from '../../src/eventstore/journal/codec.ts';
import { PAGE } from '../../src/eventstore/event-store.ts';
import { createPostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import type { AccountView } from '../../src/http/management/accounts/views/account-view.ts';
import type { Books } from '../../test/reference/audit-history.ts';
import type { RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { query } from '../../test/support/sql.ts';
import { differencesOfStores } from '../support/stores-agree.ts';
import { compare, type Findings, type Histories } from './compare.ts';
import type { Acknowledged } from './record.ts';
import { until, type World } from './world.ts';

export type Checked = {
  readonly findings: Findings;
  /** The time from the end of the load until no hold was open. */
  readonly settledMs: number;
  readonly events: number;
  /**
   * Charges in the log. Those that were not acknowledged belong to responses that broke off, or whose clients
   * disconnected.
   */
  readonly charges: number;
  /** Holds of dead processes that were released. */
  readonly orphans: number;
};

/** The promise is five seconds; a busy machine may take longer, but not as long as this. */
const HOLDS_END_WITHIN_MS = 20_000;
const CAUGHT_UP_WITHIN_MS = 20_000;
const ENDED_KEEP = 4000;

/**
 * Reads the log from its first event, directly from the database: a gateway might still have events in memory that a
 * crash has lost.
 */
export const readLog = async (databaseUrl: string): Promise<{ histories: Histories; events: number }> => {
  const store = createPostgresStore(databaseUrl);
  const histories = new Map<string, AccountEvent[]>();
  let position = 0;
  try {
    for (;;) {
      const page = await store.readAll(position, PAGE);
      for (const stored of page) {
        if (stored.position !== position + 1) throw new Error(`the log has a gap after position ${position}`);
        position = stored.position;
        const accountId = accountOfStream(stored.stream);
        if (accountId === undefined) continue;
        const history = histories.get(accountId) ?? [];
        if (stored.revision !== history.length) throw new Error(`${stored.stream} has a gap at ${history.length}`);
        history.push(decode(stored).event as AccountEvent);
        histories.set(accountId, history);
      }
      if (page.length < PAGE) return { histories, events: position };
    }
  } finally {
    await store.close();
  }
};

const untilNoHolds = (databaseUrl: string): Promise<number> => {
  const open = async (): Promise<boolean> => {
    const [row] = await query<{ caught_up: boolean; open: number }>(
      databaseUrl,
      `select (select min(position) from projections.checkpoints) >= (select position from log_head) as caught_up,
              (select count(*)::int from projections.requests where status = 'open') as open`,
    );
    return row?.caught_up === true && row.open === 0;
  };
  return until('every hold has ended', () => open().catch(() => false), HOLDS_END_WITHIN_MS);
};

/** Compares a gateway's view of an account with the books. */
const checkView = async (
  gateway: RunningGateway,
  accountId: string,
  events: readonly AccountEvent[],
  books: Books,
): Promise<readonly string[]> => {
  const view = await gateway.manage<AccountView>('GET', `/accounts/${accountId}`);
  const expected = {
    revision: events.length - 1,
    balance_usd: formatUsd(books.balance),
    charged_usd: formatUsd(books.charged),
    held_usd: '0.00',
  };
  return Object.entries(expected).flatMap(([name, value]) => {
    const said = view[name as keyof typeof expected];
    return said === value ? [] : [`${accountId}: ${gateway.url} says ${name} ${said}, the log ${value}`];
  });
};

const checkRows = async (databaseUrl: string, books: ReadonlyMap<string, Books>): Promise<readonly string[]> => {
  const rows = await query<{
    account_id: string;
    topped_up: string;
    charged: string;
    expired: string;
    held: string;
    open_holds: number;
  }>(databaseUrl, 'select * from projections.balances');
  const told = new Map(rows.map((row) => [row.account_id, row]));
  return [...books].flatMap(([accountId, { toppedUp, charged, expired }]) => {
    const row = told.get(accountId);
    const isSame =
      row?.topped_up === String(toppedUp) &&
      row.charged === String(charged) &&
      row.expired === String(expired) &&
      row.held === '0' &&
      row.open_holds === 0;
    return isSame ? [] : [`${accountId}: the row of balances differs from the log: ${JSON.stringify(row)}`];
  });
};

const isHealthy = async ({ url }: RunningGateway): Promise<boolean> =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

/** After the load has ended: waits until all holds have ended, then compares record, log, views and rows. */
export const check = async (
  world: Pick<World, 'databaseUrl' | 'eventStoreUrl' | 'gateways'>,
  record: readonly Acknowledged[],
): Promise<Checked> => {
  const { databaseUrl, eventStoreUrl } = world;
  const late: string[] = [];
  const noteLate = (error: unknown): number => {
    late.push(String(error));
    return HOLDS_END_WITHIN_MS;
  };
  const ended = world.gateways().find(({ process }) => process.hasEnded());
  if (ended)
    throw new Error(`${ended.url} ended, and nothing had killed it:\n${ended.process.output().slice(-ENDED_KEEP)}`);
  const settledMs = await untilNoHolds(databaseUrl).catch(noteLate);
  if (eventStoreUrl !== undefined) late.push(...(await differencesOfStores({ databaseUrl, eventStoreUrl })));
  for (const gateway of world.gateways()) {
    await until(`${gateway.url} is healthy`, () => isHealthy(gateway), CAUGHT_UP_WITHIN_MS).catch(noteLate);
  }
  const { histories, events } = await readLog(databaseUrl);
  const { findings, books } = compare(record, histories);
  findings.broken.push(...late);
  for (const [accountId, own] of books) {
    for (const gateway of world.gateways()) {
      findings.broken.push(...(await checkView(gateway, accountId, histories.get(accountId) ?? [], own)));
    }
  }
  findings.broken.push(...(await checkRows(databaseUrl, books)));
  const all = [...histories.values()].flat();
  const charges = all.filter(({ type }) => type === 'HoldSettled' || type === 'LateUsageCharged').length;
  const orphans = all.filter((event) => event.type === 'HoldReleased' && event.reason === 'orphaned').length;
  return { findings, settledMs, events, charges, orphans };
};

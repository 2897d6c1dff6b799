import { join } from 'node:path';
import pg from 'pg';
import { ADMIN_TOKEN, type RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { chat, costUsdOf, errorOf } from '../../test/support/traffic.ts';
import { check, type Checked } from './check.ts';
import { closing, unlessAborted } from './kills.ts';
import { openCustomers, startLoad, type Customer } from './load.ts';
import { createRandom } from '../random.ts';
import { createRecord, type Acknowledged } from './record.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { openWorld, until, type World } from './world.ts';

export type DiskFullOptions = {
  readonly home: string;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly did: (what: string) => void;
};

export type DiskFullReport = {
  readonly acknowledged: readonly Acknowledged[];
  readonly recordFile: string;
  /** Expectations for a full disk that were not met. */
  readonly broken: readonly string[];
  readonly checked: Checked;
  /** From the moment that the disk had room again until a completion was served. */
  readonly recoveredMs: number;
};

const DISK_MIB = 160;
/** Small write-ahead log files, so that the disk holds several and can run out of room for them. */
const SETTINGS = { min_wal_size: '32MB', max_wal_size: '48MB' };
/** The room that is left for the load to fill. */
const LEFT_BYTES = 128 * 1024;
const FULL = /disk of the database is full/;

type Refused = { readonly status: number | undefined; readonly code: string; readonly retry: string | null };

/** A request whose hold still found room waits until its settlement finds room too, so it is not waited for longer. */
const PATIENCE_MS = 2000;

const ask = async (gateway: RunningGateway, { keys }: Customer): Promise<Refused> => {
  const sent = chat(gateway, keys[0]?.secret ?? '', { maxTokens: 20 });
  const timeout = setTimeout(sent.leave, PATIENCE_MS);
  const answer = await sent.answer.finally(() => clearTimeout(timeout));
  const served = costUsdOf(answer) !== undefined;
  const code = served || answer.status === undefined ? '' : errorOf(answer).code;
  return { status: answer.status, code, retry: answer.headers.get('x-should-retry') };
};

const isRefused = ({ status, code, retry }: Refused): boolean =>
  status === 503 && code === 'store_unavailable' && retry === 'true';

const grantStatus = async ({ url }: RunningGateway, { accountId }: Customer, id: string): Promise<number> => {
  const response = await fetch(`${url}/api/accounts/${accountId}/grants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({ usd: '1.00', reason: id }),
  });
  return response.status;
};

/** Writes only to the write-ahead log, until there is no room for another file and PostgreSQL panics. */
const exhaustWal = async (databaseUrl: string): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (let n = 0; n < 200; n++) {
      await client.query(`select pg_logical_emit_message(false, 'certify', repeat('x', 1000000), true)`);
    }
  } catch {
    return; // Expected.
  } finally {
    await client.end().catch(() => undefined);
  }
  throw new Error('the write-ahead log of 200 MB fitted a full disk');
};

/**
 * PostgreSQL on a disk that runs full, in both ways: first it refuses to write rows, then it panics because it cannot
 * extend its write-ahead log. The gateway must refuse requests, give the reason, and recover automatically once there
 * is room.
 */
export const runDiskFull = async ({ home, seed, signal, did }: DiskFullOptions): Promise<DiskFullReport> => {
  const disk = await mountSmallDisk(join(home, 'disk'), DISK_MIB);
  try {
    const random = createRandom(String(seed));
    const record = createRecord(join(home, 'acknowledged-disk-full.jsonl'));
    const databaseDir = disk.directory;
    const world = await openWorld({ home, databaseDir, random, gateways: 1, settings: SETTINGS });
    return await closing(world, unlessAborted(signal, fillAndClear({ world, disk, did, load: { random, record } })));
  } finally {
    await disk.unmount();
  }
};

type Filling = {
  readonly world: World;
  readonly disk: SmallDisk;
  readonly did: DiskFullOptions['did'];
  readonly load: Pick<Parameters<typeof startLoad>[0], 'random' | 'record'>;
};

const fillAndClear = async ({ world, disk, did, load: { random, record } }: Filling): Promise<DiskFullReport> => {
  const broken: string[] = [];
  const expectThat = (isSo: boolean, what: string): void => void (isSo || broken.push(what));
  const [gateway] = world.gateways();
  if (!gateway) throw new Error('no gateway runs');
  const customers = await openCustomers(gateway);
  const customer = customers[0] as Customer;
  const load = startLoad({ door: world.balancer, customers, record, random });
  const untilRefused = (): Promise<number> =>
    until('a completion is refused for want of room', async () => isRefused(await ask(gateway, customer)));
  const untilServed = (): Promise<number> =>
    until('completions are served again', async () => (await ask(gateway, customer)).status === 200);

  await until('the load is under way', () => record.all.length > 10);
  await disk.fill(LEFT_BYTES);
  await untilRefused();
  did('the load has filled the disk, and completions are refused');
  // A small event may still fit into an existing page, but a series of them does not.
  let grants = 0;
  await until(
    'a grant is refused for want of room',
    async () => (await grantStatus(gateway, customer, `on a full disk ${grants++}`)) === 503,
  );
  expectThat(FULL.test(gateway.process.output()), "the gateway's log does not say that the disk is full");
  expectThat(world.lines.length <= 2, 'PostgreSQL ended where it could have refused');
  await disk.clear();
  let recoveredMs = await untilServed();
  did('there is room again, and completions are served');

  await disk.fill(0);
  await exhaustWal(world.databaseUrl);
  await until('the end of PostgreSQL is told, and why', () =>
    world.lines.some((line) => line.startsWith('The disk that holds')),
  );
  await untilRefused();
  did('PostgreSQL had no room for its log and ended, and completions are refused');
  await disk.clear();
  recoveredMs = Math.max(recoveredMs, await untilServed());
  did('there is room again, PostgreSQL came back, and completions are served');
  await load.stop();
  const checked = await check(world, record.all);
  expectThat(/takes appends again/.test(gateway.process.output()), "the gateway's log does not say that it goes on");
  return { acknowledged: record.all, recordFile: record.file, broken, checked, recoveredMs };
};

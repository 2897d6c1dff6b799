import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CannotMount, mountSmallDisk } from '../../../proofs/certify/small-disk.ts';
import { startBundledPostgres } from '../../../src/gateway/start/bundled-postgres.ts';
import { createLogProbe } from '../../../src/eventstore/postgres/log-probe.ts';
import { migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const probeOf = (url: string) => {
  const probe = createLogProbe(url);
  closing.push(probe.close);
  return probe;
};

/** Stands before the database, and passes nothing on any more once it is told so, as a firewall that forgot a connection. */
const openTunnel = async (url: string) => {
  const to = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((client) => {
    const remote = connect(Number(to.port), to.hostname);
    for (const [from, into] of [
      [client, remote],
      [remote, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (bytes) => void (silent || into.write(bytes)));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return { url: through.href, fallSilent: (whether: boolean) => void (silent = whether) };
};

describe('a probe of the log', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    closing.push(database.drop);
  });

  it('reads the head, the time, and whether the database takes writes', async () => {
    const probe = probeOf(database.url);
    const state = await probe.look();
    expect(state).toMatchObject({ head: 0, readOnly: false });
    expect(Math.abs(state.databaseMs - Date.now())).toBeLessThan(60_000);
    await probe.lookForRoom();
  });

  it.each(['database', 'role'])(
    'notices a demotion by `alter %s`, which the connections that exist do not',
    async (of) => {
      const probe = probeOf(database.url);
      expect(await probe.look()).toMatchObject({ readOnly: false });
      const name = new URL(database.url).pathname.slice(1);
      const target = of === 'role' ? `role current_user in database ${name}` : `database ${name}`;
      const elsewhere = new URL(database.url);
      elsewhere.pathname = '/postgres';
      await query(elsewhere.href, `alter ${target} set default_transaction_read_only = on`);
      expect(await probe.look()).toMatchObject({ readOnly: true });
      expect(await probeOf(database.url).look()).toMatchObject({ readOnly: true });
      await query(elsewhere.href, `alter ${target} reset default_transaction_read_only`);
      expect(await probe.look()).toMatchObject({ readOnly: false });
    },
  );

  it('gives up a connection that falls silent, asks no second query behind it, and opens another', async () => {
    const tunnel = await openTunnel(database.url);
    const probe = probeOf(tunnel.url);
    await probe.look();
    tunnel.fallSilent(true);
    const before = performance.now();
    const looks = [probe.look(), probe.look(), probe.look()];
    for (const look of looks) await expect(look).rejects.toThrow('timeout');
    await expect(probe.look()).rejects.toThrow('timeout');
    expect(performance.now() - before).toBeLessThan(10_000); // One query, and one connection.
    tunnel.fallSilent(false);
    expect(await probe.look()).toMatchObject({ head: 0 });
  });

  it('appends for trial, and leaves nothing of it', async () => {
    const probe = probeOf(database.url);
    await probe.tryAppend();
    expect(await probe.look()).toMatchObject({ head: 0 });
    expect(await query(database.url, 'select position from events')).toEqual([]);
    await query(
      database.url,
      `create function fails() returns trigger language plpgsql as $$ begin raise disk_full; end $$;
       create trigger fails before insert on events execute function fails()`,
    );
    await expect(probe.tryAppend()).rejects.toMatchObject({ code: '53100' });
    expect(await probe.look()).toMatchObject({ head: 0 });
  });
});

describe('a probe of a server of its own', () => {
  const startServer = async (dataDir: string) => {
    const started = await startBundledPostgres({ dataDir, log: () => undefined });
    closing.push(started.stop);
    return started;
  };

  it('notices a standby', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-standby-'));
    closing.push(() => rm(dataDir, { recursive: true, force: true }));
    const primary = await startServer(dataDir);
    await migratePostgresStore(primary.url);
    await primary.stop();
    await writeFile(join(dataDir, 'postgres', 'standby.signal'), '');
    const standby = await startServer(dataDir);
    expect(await probeOf(standby.url).look()).toMatchObject({ readOnly: true });
  });

  it('notices a full disk, without an append', async (context) => {
    const home = await mkdtemp(join(tmpdir(), 'kissapi-full-'));
    closing.push(() => rm(home, { recursive: true, force: true }));
    const disk = await mountSmallDisk(home, 160).catch((error: unknown) => {
      if (error instanceof CannotMount) return context.skip(`no small disk can be mounted here: ${error.message}`);
      throw error;
    });
    closing.push(disk.unmount);
    const { url } = await startServer(home);
    await migratePostgresStore(url);
    const probe = probeOf(url);
    await probe.lookForRoom();
    await disk.fill(0);
    await expect(probe.lookForRoom()).rejects.toMatchObject({ code: 'no_room' });
    expect(await probe.look()).toMatchObject({ readOnly: false });
    await disk.clear();
    await probe.lookForRoom();
  });
});

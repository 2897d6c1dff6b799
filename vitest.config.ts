import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

// Processes that tests start share the compiled code, so that each loads its modules in half the time.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compiled');
// Each process that a test starts has a file here, named after its id, until it ends.
process.env['TEST_PROCESSES'] ??= mkdtempSync(join(tmpdir(), 'kissapi-test-processes-'));

// Gateways, commands and tests use EventStoreDB only with TEST_STORE=eventstoredb. A server that is named without it is for
// the tests of EventStoreDB itself.
if (process.env['TEST_STORE'] !== 'eventstoredb' && process.env['EVENT_STORE_URL'] !== undefined) {
  process.env['TEST_EVENT_STORE_URL'] ??= process.env['EVENT_STORE_URL'];
  delete process.env['EVENT_STORE_URL'];
}

// Far more than anything takes: a test fails because a condition does not come, and not because the machine is busy.
const limits = { testTimeout: 180_000, hookTimeout: 180_000 };

/** Long proofs in their short form. `npm test` leaves them out; `npm run proofs` runs them. */
const PROOFS = [
  'test/proofs/{certify,prove,torture}.test.ts',
  'test/eventstore/ambiguous-commits.test.ts',
  'test/projections/killed-rebuild.test.ts',
];

/** Tests that start gateways, command lines or servers as processes of their own. */
const WITH_PROCESSES = [
  'test/journeys/**/*.test.ts',
  'test/regressions/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/reactions/process/**/*.test.ts',
  'test/mail/kills/**/*.test.ts',
  'test/packages/embedded-postgres/**/*.test.ts',
  'test/gateway/bundled-postgres.test.ts',
];

// Without isolation the files of a worker share their modules and what test/support/shared.ts starts.
const withoutIsolation = { isolate: false, restoreMocks: true };

export default defineConfig({
  test: {
    globalSetup: ['test/support/postgres/postgres-server.ts', 'test/support/stores/event-store-server.ts'],
    // Two cores: with more workers, the gateways of the journeys only wait for one another.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: [...WITH_PROCESSES, ...PROOFS],
          pool: 'threads',
          ...withoutIsolation,
          ...limits,
        },
      },
      {
        test: {
          name: 'processes',
          include: WITH_PROCESSES,
          globalSetup: 'test/support/nodes/processes.ts',
          pool: 'forks',
          ...withoutIsolation,
          ...limits,
        },
      },
      {
        test: {
          name: 'proofs',
          include: PROOFS,
          pool: 'forks',
          ...limits,
        },
      },
    ],
  },
});

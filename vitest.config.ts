import { defineConfig } from 'vitest/config';

const limits = { testTimeout: 60_000, hookTimeout: 90_000 };

/** Tests that start gateways, command lines or servers as processes of their own. */
const WITH_PROCESSES = [
  'test/journeys/**/*.test.ts',
  'test/regressions/**/*.test.ts',
  'test/proofs/**/*.test.ts',
  'test/cli/**/*.test.ts',
  'test/gateway/bundled-postgres.test.ts',
  'test/projections/killed-rebuild.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: 'test/support/postgres-server.ts',
    // Two cores: with more workers, the gateways of the journeys only wait for one another.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: WITH_PROCESSES,
          // The files of a worker share their modules, so each module is loaded once and not once a file.
          pool: 'threads',
          isolate: false,
          restoreMocks: true,
          ...limits,
        },
      },
      { test: { name: 'processes', include: WITH_PROCESSES, pool: 'forks', ...limits } },
    ],
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/postgres-server.ts',
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // Two cores: more workers than that only make the journeys, which start real gateways, wait for one another.
    maxWorkers: 2,
  },
});

import { defineConfig } from 'vitest/config';

/**
 * Projects that talk with real processes depend on a machine that others use too. CI tries such a test a second time and reports that it did; on a
 * developer's machine a test that passes only sometimes is to be seen.
 */
const retry = process.env['CI'] === undefined ? 0 : 1;

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['src/protocol/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.d.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 95, branches: 95, functions: 95, statements: 95 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'test/{protocol,sockets,support}/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        // One file at a time: they measure whether others are served while one peer attacks.
        test: {
          name: 'attacks',
          include: ['test/attacks/**/*.test.ts'],
          testTimeout: 20_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        // One file at a time: whole deployments under load.
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        // Two organizations with Edge, Core and IM&P node, and the clients of others.
        test: {
          name: 'sites',
          include: ['test/sites/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        test: {
          name: 'packaging',
          include: ['packaging/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry,
        },
      },
      {
        // Needs root. Hosts with real servers are heavy: one file at a time.
        test: {
          name: 'hosts',
          include: ['test/hosts/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          retry,
        },
      },
    ],
  },
});

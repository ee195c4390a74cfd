import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

const exhaustive = [
  'test/conformance/suite.test.ts',
  'test/flows/{cut-withdrawal,foreign-feed,forge-faults,forged-beta,interrupted-operator,interrupted-rollout}.test.ts',
  'test/flows/{interrupted-verbs,killed-release,rollout-fleet}.test.ts',
  'test/flows/{fleet,offline,rebase,signed-npm,verify-rebuild,verify-same-bytes}.test.ts',
  'test/hostile/credentials.test.ts',
  'test/server/bucket/killed-bucket.test.ts',
  'test/server/bucket/shared-copies.test.ts',
  'test/server/install/parameters.test.ts',
  'test/shims/windows-forms.test.ts',
];

/**
 * A file's project depends on its folder; files that no row names are unit tests. `pnpm test` runs all but the slow ones, `pnpm
 * test:all` runs everything (dev/test.ts).
 */
const kinds = {
  /** Real clients by other makers, where they are installed. */
  client: [
    'test/shims/**/*.test.ts',
    'test/server/install/**/*.test.ts',
    'test/server/gallery/{browser,rollouts-browser}.test.ts',
    'test/flows/{choco,nuget,psresourceget,package-management}*.test.ts',
  ],
  /** Whole verbs and servers over HTTP and git, many of them as separate processes. */
  flow: [
    'test/*.test.ts',
    'test/{flows,hostile,docs,deploy,conformance}/**/*.test.ts',
    'test/server/verbs/**/*.test.ts',
    'test/devbox/{pipeline,images-pipeline}/**/*.test.ts',
    'test/server/serve*.test.ts',
    'test/{system,go-command}/**/*.test.ts',
    'test/manifest-gen/{publish,sources,verbs}/**/*.test.ts',
  ],
  slow: [
    /** Builds of programs from source and from registries, the image, fresh clones, large loads, long fuzzing. */
    'test/slow/**/*.test.ts',
    'test/hostile/fuzz-*.test.ts',
    'test/{own-packages,probe}/{probe,notices}.test.ts',
    'test/devbox/image.test.ts',
    /** The same flow, repeated for each possible fault, forgery, interruption or form. */
    ...exhaustive,
    /** Several servers on PostgreSQL and an object store. */
    'test/replicas/**/*.test.ts',
  ],
};
const minute = 60_000;
/** pwsh is started hundreds of times for seconds each: compiling its hot code a second time costs more than it saves. */
const dotnet = {
  DOTNET_TieredPGO: '0',
  DOTNET_TC_CallCountThreshold: '1000',
  // Against attacks on what it compiles; it maps each piece of code twice, which takes a twentieth of pwsh's time.
  DOTNET_EnableWriteXorExecute: '0',
};
/**
 * Tests start programs by the ten thousand, and each start copies the table of the worker's pages: large pages, and one heap instead of a
 * mapping for each buffer, make that table small. test/plain-children.ts keeps it from the programs themselves.
 */
const fewPages = { GLIBC_TUNABLES: `glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=${1024 ** 3}` };
const kit = {
  setupFiles: ['test/compare-buffers.ts', 'test/plain-children.ts'],
  // Against tests that hang: none is to fail because the machine is busy. A test has a limit of its own only where it takes longer.
  testTimeout: 5 * minute,
  hookTimeout: 5 * minute,
  // Its own limit is one second, which a busy machine exceeds.
  expect: { poll: { timeout: minute } },
  pool: 'forks' as const,
  // A worker loads the product once for all its files: loading takes longer than most tests.
  isolate: false,
  // It would collect garbage every few seconds while a test waits for a program.
  execArgv: ['--no-memory-reducer', '--min-semi-space-size=16'],
  env: { ...dotnet, ...fewPages },
  // Each project would transform the product for itself, and so would the next run: CI has two.
  experimental: { fsModuleCache: true },
};

export default defineConfig({
  test: {
    globalSetup: ['test/own-temp.ts'],
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/count-reporter.ts'],
    // One more than the cores of the smallest CI machine, since many tests wait for other processes.
    maxWorkers: 3,
    projects: [
      {
        test: {
          ...kit,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...kinds.client, ...kinds.flow, ...kinds.slow],
        },
      },
      {
        test: {
          ...kit,
          name: 'flow',
          include: kinds.flow,
          exclude: [...kinds.client, ...exhaustive],
          globalSetup: ['test/build-dist.ts'],
          env: { ...kit.env, USUAL_FUZZ_RUNS: '15000' },
        },
      },
      {
        test: {
          ...kit,
          name: 'client',
          include: kinds.client,
          exclude: exhaustive,
          globalSetup: ['test/build-dist.ts'],
        },
      },
      {
        test: {
          ...kit,
          name: 'slow',
          include: kinds.slow,
          globalSetup: ['test/build-dist.ts'],
          env: { ...kit.env, USUAL_FUZZ_RUNS: '150000' },
        },
      },
    ],
  },
});

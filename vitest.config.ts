import { defineConfig } from 'vitest/config';

/** What a file is by where it is; what no row names is a unit test. CONTRIBUTING.md says which command runs which kind. */
const kinds = {
  /** Builds upstream programs from source, builds the image, fuzzes for long: `test:all` alone. */
  slow: ['test/slow/**/*.test.ts'],
  /** Real clients of other makers, where they are installed. */
  client: [
    'test/shims/**/*.test.ts',
    'test/server/install/**/*.test.ts',
    'test/server/gallery/browser.test.ts',
    'test/flows/{choco,nuget,psresourceget,package-management}*.test.ts',
  ],
  /** Whole verbs and servers, over HTTP and git, many of them as processes of their own. */
  flow: [
    'test/*.test.ts',
    'test/{flows,hostile,docs,conformance,image}/**/*.test.ts',
    'test/server/operator/**/*.test.ts',
    'test/server/serve*.test.ts',
    'test/manifest-gen/verbs/**/*.test.ts',
  ],
};
const others = ({ except }: { readonly except: keyof typeof kinds | 'unit' }): string[] =>
  Object.entries(kinds).flatMap(([kind, files]) => (kind === except ? [] : files));

export default defineConfig({
  test: {
    globalSetup: ['test/own-temp.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    // Two cores are never idle with three: tests wait for child processes, too.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: others({ except: 'unit' }),
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

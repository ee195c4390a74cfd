/** Every verb and its module, which is loaded only when the verb is used (contract section 1). */
import type { Command } from 'commander';
import type { Invocation } from './invocation.ts';

/** A verb: its line in `--help`, and its module. */
export type Verb = {
  readonly does: string;
  readonly load: () => Promise<{ createCommand(invocation: Invocation): Command }>;
  /** What its help says in addition, and that of its commands. */
  readonly help?: string;
  /** Flags for V8, which looks at them at each collection; the scripts of package.json pass none to Node. */
  readonly v8?: readonly string[];
};

/**
 * Makes V8 grow its heap slowly: otherwise it keeps 100 MB of garbage as long as the machine has memory. There is no limit, so nothing
 * that worked before runs out of memory. A small space for new objects would save as much, but halve the speed of large downloads.
 */
const serving = ['--optimize-for-size'];
/**
 * Files of 60 MB go through a release in pieces, and a heap that grows freely keeps tens of megabytes of unused pieces: 142 MB instead
 * of 178 at the most.
 */
const releasing = ['--optimize-for-size', '--semi-space-growth-factor=1'];

const ofServe =
  '\nSettings (environment): those of serve. DATA_DIR (./data) is the data folder. This works with or without a running server.\n';

/** Verbs of the installed program. */
export const productVerbs: Readonly<Record<string, Verb>> = {
  start: {
    does: 'starts the server and releases the first tools',
    load: () => import('./start.ts'),
    v8: serving,
  },
  serve: { does: 'starts the server', load: () => import('./server/serve.ts'), v8: serving },
  'release:beta': {
    does: 'releases upstream versions as betas',
    load: () => import('./manifest-gen/verbs/beta.ts'),
    v8: releasing,
  },
  'release:promote': {
    does: 'makes a beta stable, with the same bytes',
    load: () => import('./manifest-gen/verbs/promote.ts'),
    v8: releasing,
  },
  'release:rollout': {
    does: 'gives a version to some machines first, then to everybody',
    load: () => import('./manifest-gen/verbs/rollout/command.ts'),
    v8: releasing,
  },
  'release:withdraw': {
    does: 'unlists a bad version and publishes the last good bytes',
    load: () => import('./manifest-gen/verbs/withdraw.ts'),
    v8: releasing,
  },
  'release:status': {
    does: 'shows which version is where',
    load: () => import('./manifest-gen/verbs/status.ts'),
    v8: releasing,
  },
  'release:check': {
    does: 'reports what on main is outdated or vulnerable',
    load: () => import('./manifest-gen/verbs/check.ts'),
    v8: releasing,
  },
  'release:verify': {
    does: 'repeats all evidence for what a branch offers',
    load: () => import('./manifest-gen/verbs/verify.ts'),
    v8: releasing,
  },
  'bundle:create': {
    does: 'writes verified releases into one signed file',
    load: () => import('./manifest-gen/verbs/bundle.ts'),
    v8: releasing,
  },
  'cache:clean': {
    does: 'empties CACHE_DIR: downloads and builds',
    load: () => import('./manifest-gen/verbs/cache-clean.ts'),
  },
  'bucket:rebase': {
    does: 'changes the base address in all manifests',
    load: () => import('./manifest-gen/verbs/rebase.ts'),
    v8: releasing,
  },
  'bucket:check': {
    does: 'checks a bucket at another git host against the push rules',
    load: () => import('./server/verbs/bucket-check.ts'),
  },
  shims: {
    does: 'writes PATH-priority shims',
    load: () => import('./shims/command.ts'),
  },
  probe: {
    does: 'builds or publishes go-win-probe, for images',
    load: () => import('./own-packages/probe-command.ts'),
  },
  'devbox:create': {
    does: 'writes the repository for standard images and DevBoxes',
    load: () => import('./devbox/create-command.ts'),
  },
  'devbox:check': {
    does: 'checks that repository: its files, tools and images',
    load: () => import('./devbox/check-command.ts'),
  },
  'feed:export': {
    does: 'writes packages as plain nupkg files, with an index',
    load: () => import('./server/verbs/export.ts'),
    help: ofServe,
  },
  'feed:import': {
    does: 'imports packages from a folder or another feed',
    load: () => import('./server/verbs/import.ts'),
  },
  'feed:backup': {
    does: 'writes the whole feed into one file, also while the server runs',
    load: () => import('./server/verbs/backup.ts'),
    help: ofServe,
  },
  'feed:restore': {
    does: 'restores a backup into a data folder, or into PostgreSQL and an object store',
    load: () => import('./server/verbs/restore.ts'),
  },
  'feed:verify': {
    does: 'reads every stored byte again and removes orphans',
    load: () => import('./server/verbs/verify.ts'),
    help: ofServe,
  },
  'feed:unlist': {
    does: 'hides a version of any package',
    load: async () => ({ createCommand: (await import('./server/verbs/listing.ts')).createUnlist }),
    help: ofServe,
  },
  'feed:relist': {
    does: 'shows an unlisted version again',
    load: async () => ({ createCommand: (await import('./server/verbs/listing.ts')).createRelist }),
    help: ofServe,
  },
  'feed:purge': {
    does: 'deletes the bytes of a version for good',
    load: () => import('./server/verbs/purge.ts'),
    help: ofServe,
  },
  'feed:prune': {
    does: 'permanently deletes old betas that nothing refers to',
    load: () => import('./server/verbs/prune.ts'),
    help: ofServe,
  },
  'feed:keys': {
    does: 'adds, lists, rotates and revokes keys',
    load: () => import('./server/verbs/keys.ts'),
    help: ofServe,
  },
  'feed:rings': {
    does: 'sets, lists and removes rings: groups of clients',
    load: () => import('./server/verbs/rings.ts'),
    help: ofServe,
  },
  'feed:clients': {
    does: 'shows machines with per-client addresses, and what each is offered',
    load: () => import('./server/verbs/clients.ts'),
    help: ofServe,
  },
  'feed:audit': {
    does: 'shows, follows, anchors and checks the audit log; who downloaded what',
    load: () => import('./server/verbs/audit.ts'),
    help: ofServe,
  },
  'feed:migrate': {
    does: 'brings PostgreSQL to the schema of this version',
    load: () => import('./server/verbs/migrate.ts'),
  },
  'feed:doctor': {
    does: 'checks a running installation, from outside and inside',
    load: () => import('./server/verbs/doctor/command.ts'),
  },
  'feed:conformance': {
    does: 'checks any NuGet v2 feed as its clients see it',
    load: () => import('./conformance/command.ts'),
  },
};

/** Verbs of a checkout, for those who work on the product; the installed program does not have them. */
export const checkoutVerbs: Readonly<Record<string, Verb>> = {
  test: { does: 'runs the tests except the slow ones', load: () => import(devScript('test')) },
  'test:all': {
    does: 'runs all tests: also builds of upstream programs and long fuzzing',
    load: async () => ({ createCommand: (await import(devScript('test'))).createAllCommand }),
  },
  check: { does: 'checks types, lint, layers and dead code', load: () => import(devScript('check')) },
  bench: { does: 'measures the feed against reference servers', load: () => import(devScript('bench')) },
  build: { does: 'compiles the program into dist/', load: () => import(devScript('build')) },
};

/** Not a literal import, since dist/ is built without the dev folder. */
function devScript(name: string): string {
  return new URL(`./dev/${name}.ts`, import.meta.url).href;
}

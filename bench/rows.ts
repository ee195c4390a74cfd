import { type BenchPackage, searchWords } from './packages.ts';

export type Rival = 'bare' | 'express' | 'peer' | 'durable';

/** A ratio of the feed to a rival, both in operations a second. A ratio below `must` is a miss. */
export type Goal = { readonly against: Rival; readonly must?: number; readonly aim?: number };

/** One reading operation: addresses from all over the catalog, and how the peer spells them if it has the operation. */
export type ReadingRow = {
  readonly name: string;
  readonly goals: readonly Goal[];
  readonly paths: (packages: readonly BenchPackage[]) => string[];
  readonly peerPaths?: (packages: readonly BenchPackage[]) => string[];
};

export const readingRows: readonly ReadingRow[] = [
  {
    name: 'FindPackagesById',
    goals: [
      { against: 'express', must: 1 },
      { against: 'peer', must: 5 },
      { against: 'bare', aim: 0.65 },
    ],
    paths: (packages) => oneOfEach(packages).map(({ id }) => findById('/nuget', id)),
    peerPaths: (packages) => oneOfEach(packages).map(({ id }) => findById('', id)),
  },
  {
    name: 'Packages(Id,Version)',
    goals: [
      { against: 'express', must: 1 },
      { against: 'peer', must: 5 },
      { against: 'bare', aim: 0.5 },
    ],
    paths: (packages) => spread(packages).map((pkg) => exactly('/nuget', pkg)),
    peerPaths: (packages) => spread(packages).map((pkg) => exactly('', pkg)),
  },
  {
    name: 'newest by id filter',
    goals: [
      { against: 'express', must: 1 },
      { against: 'peer', must: 5 },
      { against: 'bare', aim: 0.5 },
    ],
    paths: (packages) => oneOfEach(packages).map(({ id }) => newest('/nuget', id)),
    peerPaths: (packages) => oneOfEach(packages).map(({ id }) => newest('', id)),
  },
  {
    name: 'Search, 30 results',
    goals: [
      { against: 'express', must: 0.5 },
      { against: 'bare', aim: 0.65 },
    ],
    paths: () => shuffled(searchWords()).map(search),
  },
  {
    name: 'download, 4 KB',
    goals: [
      { against: 'express', must: 1 },
      { against: 'bare', aim: 0.4 },
    ],
    paths: (packages) => spread(packages).map(({ id, version }) => `/nuget/package/${id}/${version}`),
  },
];

export const bigDownload = {
  name: 'download, 64 MB',
  sizeBytes: 64 * 1024 * 1024,
  goals: [{ against: 'bare', must: 0.8, aim: 0.95 }],
} as const;

export const push = {
  name: 'push, durable',
  goals: [{ against: 'durable', must: 0.7, aim: 0.9 }],
} as const;

/** A feed in use: nothing in memory yet, changes in between, and pushes. */
export const inUse = {
  first: 'first time',
  changed: 'after a push',
  downloaded: 'after a download',
  paced: { name: '300 reads/s', aim: 3 },
  pacedWithPushes: { name: '300 reads/s, 10 pushes/s', aim: 4 },
  pacedAtStart: { name: '300 reads/s, first 10 s', aim: 6 },
  besidePushes: { name: 'FindPackagesById, 10 pushes/s', aim: 0.9 },
  pushOne: { name: 'push, 1 client', clients: 1, aim: 0.6 },
  pushEight: { name: 'push, 8 clients', clients: 8, aim: 0.5 },
  stop: { name: 'longest event-loop pause in use', unit: 'ms', aim: 25 },
  stopByPush: { name: 'longest event-loop pause, 200 MB pushed', unit: 'ms', aim: 20 },
  memory: { name: 'memory in use', unit: 'MB', aim: 150 },
} as const;

/** The row of one kind of question: `inUse.first`, `changed` or `downloaded`. */
export function rowOf({ name }: { readonly name: string }, when: string): string {
  return `${name}, ${when}`;
}

/** A value for which lower is better. Other limits apply at 165,000 versions. */
export type Limit = {
  readonly name: string;
  readonly unit: string;
  readonly must: number;
  readonly aim?: number;
};
export const limits = {
  memory: { name: 'memory after load', unit: 'MB', must: 200, aim: 120 },
  bigMemory: { name: 'memory after load', unit: 'MB', must: 350 },
  ready: { name: 'start until ready', unit: 'ms', must: 2000 },
  slowdown: { unit: 'x', must: 1.5, aim: 1.1 },
} as const;

/** The machines of a fleet, each at its own addresses, while two rollouts are open: against the plain address of the same feed. */
export const clients = {
  name: 'FindPackagesById, 10,000 clients',
  count: 10_000,
  /** Few of the feed's packages are installed on machines. */
  tools: 20,
  must: 0.8,
  memory: { name: 'memory, 10,000 clients', unit: 'x', must: 1.2 },
} as const;

/** How many times longer a program takes through a shim's NAME.exe, which is a second process, so 2 is the minimum. */
export const launcher = { name: 'shim, start to end', must: 5, aim: 3 } as const;

/** How many times longer a release of three tools with nothing new takes than the same verb with `--help`. */
export const idleRelease = { name: 'release, nothing new', must: 4, aim: 2.5 } as const;

/** How many times longer an exe takes to reach the feed than `sha256sum`, the same compressor and `cp`, one after the other. */
export const handIn = {
  name: 'hash, pack and push, 60 MB',
  sizeBytes: 60_000_000,
  must: 2,
  aim: 1.3,
} as const;

/** The peak memory of the whole process, including Node itself, in multiples of the exe's size. */
export const releaseMemory = { name: 'memory of a release', exeBytes: 60_000_000, must: 3 } as const;

/** Several servers on PostgreSQL and S3, beside one server with the same packages. */
export const replicas = {
  read: { name: 'replica', must: 0.9 },
  first: { name: 'replica, first time', must: 0.5 },
  pushOne: { name: 'replica, push, 1 client', clients: 1 },
  pushEight: { name: 'replica, push, 8 clients', clients: 8 },
  stale: { name: 'replica, stale reads after a push elsewhere', unit: '', must: 0, pushes: 1_000 },
  rare: { name: 'replica, search for a rare word', unit: 'ms', must: 50, searches: 50 },
  size: { name: 'replica, FindPackagesById known: times slower than at 10,000', unit: '', must: 1.5 },
  copied: { name: 'replica, first start until ready', unit: 'ms' },
  ready: { name: 'replica, start until ready', unit: 'ms', must: 3_000 },
  memory: { name: 'replica, memory', unit: 'MB', must: 350 },
} as const;

/** Of three replicas behind HAProxy. What clients see has to be right again so soon (contract section 10; docs/operate/replicas.md). */
export const outages = {
  cutOff: { name: 'outage, replica cut off from PostgreSQL: unready after', unit: 'ms', must: 2_000 },
  connected: { name: 'outage, replica connected again: ready after', unit: 'ms', must: 5_000 },
  databaseAway: { name: 'outage, PostgreSQL killed: all unready after', unit: 'ms', must: 2_000 },
  databaseBack: { name: 'outage, PostgreSQL back: all ready after', unit: 'ms', must: 5_000 },
  frozenHolder: { name: 'outage, holder of the row frozen: push elsewhere after', unit: 'ms', must: 3_000 },
  frozen: { name: 'outage, replica frozen: out of rotation after', unit: 'ms', must: 3_000 },
  killed: { name: 'outage, replica killed: out of rotation after', unit: 'ms', must: 3_000 },
  failedInFlight: { name: 'outage, replica killed: failed of 12 clients in flight', unit: '', must: 12 },
  failedAfter: { name: 'outage, replica killed: failed that began afterwards', unit: '', must: 0 },
  lost: { name: 'outage, replica killed: confirmed pushes lost', unit: '', must: 0 },
} as const;

/** Rows that need a feed with many versions. */
export const feedRowNames = [...readingRows.map(({ name }) => name), bigDownload.name, push.name];
export const rowNames = [
  ...feedRowNames,
  launcher.name,
  idleRelease.name,
  releaseMemory.name,
  handIn.name,
  ...Object.values(replicas).map(({ name }) => name),
  ...Object.values(outages).map(({ name }) => name),
];

export function oneOfEach(packages: readonly BenchPackage[]): BenchPackage[] {
  return shuffled([...new Map(packages.map((pkg) => [pkg.id, pkg])).values()]);
}

/** Versions from all over the catalog, at least one of each id, whose bytes exist. */
export function spread(packages: readonly BenchPackage[]): BenchPackage[] {
  return shuffled(packages).slice(0, 16_000);
}

/** In the same order every time. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  let state = 1;
  for (let at = result.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = state % (at + 1);
    [result[at], result[other]] = [result[other] as Item, result[at] as Item];
  }
  return result;
}

export function findById(base: string, id: string): string {
  return `${base}/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`;
}

export function exactly(base: string, { id, version }: BenchPackage): string {
  return `${base}/Packages(Id='${id}',Version='${version}')`;
}

export function newest(base: string, id: string): string {
  return `${base}/Packages()?$filter=(tolower(Id)%20eq%20'${id}')%20and%20IsLatestVersion&semVerLevel=2.0.0`;
}

export function search(words: string): string {
  return `/nuget/Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm='${encodeURIComponent(words)}'&targetFramework=''&includePrerelease=false&$skip=0&$top=30&semVerLevel=2.0.0`;
}

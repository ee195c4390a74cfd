import { setTimeout as sleep } from 'node:timers/promises';
import { type Contestant, contest } from './contest.ts';
import { type Kind, kinds } from './kinds.ts';
import { measure, measureFirst, median, type Sample } from './load.ts';
import { pace } from './paced.ts';
import type { BenchPackage } from './packages.ts';
import { keepPushing, measurePushes, pushNext } from './pushes.ts';
import { type Result, rateRatio, rateValue } from './results.ts';
import { inUse } from './rows.ts';
import type { Feed, Reference } from './servers.ts';
import type { Settings } from './settings.ts';

export type InUse = {
  readonly start: () => Promise<Feed>;
  readonly bare: Reference;
  /** Writes files durably and nothing else. */
  readonly files: Reference;
  readonly packages: readonly BenchPackage[];
};

/** Downloads are written after 5 s; an answer that shows them may be 20 s old by then. */
const countsShownMs = 27_000;
const readsPerSecond = 300;
const pushesPerSecond = 10;

/** What a feed does while packages are pushed and downloaded, and with what it was never asked. */
export async function inUseResults(stand: InUse, settings: Settings): Promise<Result[]> {
  const { isChosen, say } = settings;
  const results: Result[] = [];
  const row = async (name: string, make: () => Promise<readonly Result[]>): Promise<void> => {
    if (!isChosen(name)) return;
    results.push(...(await make()));
    say(name);
  };
  for (const kind of kinds) {
    await row(nameOf(kind, inUse.first), () => firstResults(kind, stand, settings));
  }
  for (const kind of kinds) {
    await row(nameOf(kind, inUse.changed), () => changedResults(kind, stand, settings));
  }
  await row(inUse.downloaded, () => downloadedResults(stand, settings));
  await row(inUse.pacedAtStart.name, () =>
    pacedResults(inUse.pacedAtStart, stand, { seconds: 10, isNew: true }),
  );
  await row('in use', () => withOneFeed(stand, (feed) => usedResults(feed, stand, settings)));
  for (const which of [inUse.pushOne, inUse.pushEight]) {
    await row(which.name, () => withOneFeed(stand, (feed) => pushResults(which, feed, stand, settings)));
  }
  return results;
}

/** Every row by its name, for the help. */
export const inUseNames: readonly string[] = [
  ...kinds.flatMap((kind) => [nameOf(kind, inUse.first), nameOf(kind, inUse.changed)]),
  inUse.downloaded,
  inUse.pacedAtStart.name,
  'in use',
  inUse.pushOne.name,
  inUse.pushEight.name,
];

function nameOf({ name }: Kind, when: string): string {
  return `${name}, ${when}`;
}

async function withOneFeed<T>({ start }: InUse, use: (feed: Feed) => Promise<T>): Promise<T> {
  const feed = await start();
  try {
    return await use(feed);
  } finally {
    await feed.stop();
  }
}

/** A new process each round; a tenth of the addresses make its program warm, all others are asked for once. */
async function firstResults(kind: Kind, stand: InUse, { rounds }: Settings): Promise<Result[]> {
  const paths = kind.paths(stand.packages);
  const warm = paths.filter((_, n) => n % 10 === 0);
  const others = paths.filter((_, n) => n % 10 !== 0);
  const samples: Sample[] = [];
  const bare: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    await withOneFeed(stand, async (feed) => {
      const bytes = await feed.averageBytes(warm);
      await measureFirst(feed.url, warm);
      samples.push(await measureFirst(feed.url, others));
      bare.push(await measure(stand.bare.url, [`/${bytes}`], 1));
    });
  }
  return [ratioResult(nameOf(kind, inUse.first), samples, bare, kind.first)];
}

/** Asked before; then one package of another id is pushed, and each address is asked once, again and again. */
async function changedResults(kind: Kind, stand: InUse, { seconds }: Settings): Promise<Result[]> {
  return withOneFeed(stand, async (feed) => {
    const paths = kind.paths(stand.packages);
    const bytes = await feed.averageBytes(paths);
    await measureFirst(feed.url, paths);
    const samples: Sample[] = [];
    const bare: Sample[] = [];
    const end = performance.now() + seconds * 3000;
    while (performance.now() < end) {
      await pushNext(feed.url);
      samples.push(await measureFirst(feed.url, paths));
      bare.push(await measure(stand.bare.url, [`/${bytes}`], 0.3));
    }
    return [ratioResult(nameOf(kind, inUse.changed), samples, bare, kind.changed)];
  });
}

/** Asked before; then one package is downloaded, and each address is asked once after that must be shown. */
async function downloadedResults(
  { bare, packages, ...stand }: InUse,
  _settings: Settings,
): Promise<Result[]> {
  return withOneFeed({ bare, packages, ...stand }, async (feed) => {
    // No more than the feed keeps of all kinds together.
    const asked = kinds.map((kind) => ({ kind, paths: kind.paths(packages).slice(0, 100) }));
    for (const { paths } of asked) await measureFirst(feed.url, paths);
    const [first] = packages;
    await measureFirst(feed.url, [`/nuget/package/${first?.id}/${first?.version}`]);
    await sleep(countsShownMs);
    const results: Result[] = [];
    for (const { kind, paths } of asked) {
      const sample = await measureFirst(feed.url, paths);
      const bytes = await feed.averageBytes(paths);
      const beside = await measure(bare.url, [`/${bytes}`], 0.3);
      results.push(ratioResult(nameOf(kind, inUse.downloaded), [sample], [beside], kind.changed));
    }
    return results;
  });
}

type Paced = { readonly name: string; readonly aim: number };

async function pacedResults(
  row: Paced,
  stand: InUse,
  { seconds, feed, isNew = false }: { seconds: number; feed?: Feed; isNew?: boolean },
): Promise<Result[]> {
  const asked = kinds.map((kind) => kind.paths(stand.packages));
  const download = stand.packages.map(({ id, version }) => `/nuget/package/${id}/${version}`);
  const all = [...asked, download];
  const measured = async (running: Feed): Promise<Result[]> => {
    const sizes = isNew ? undefined : await sizesOf(running, all);
    const own = await pace((n) => `${running.url}${pick(all, n)}`, readsPerSecond, seconds);
    const bytes = sizes ?? (await sizesOf(running, all));
    const beside = await pace(
      (n) => `${stand.bare.url}/${bytes[n % bytes.length]}`,
      readsPerSecond,
      Math.min(10, seconds),
    );
    const ratio = own.p99 / beside.p99;
    return [
      {
        operation: `${row.name}: p99`,
        feed: `${own.p99.toFixed(1)} ms`,
        ratio,
        against: 'bare',
        errors: own.errors,
        ...rateValue(ratio, { aim: row.aim }),
      },
      {
        operation: `${row.name}: p50`,
        feed: `${own.p50.toFixed(1)} ms`,
        ratio: own.p50 / beside.p50,
        against: 'bare',
        verdict: '',
      },
    ];
  };
  return feed === undefined ? withOneFeed(stand, measured) : measured(feed);
}

/** One kind after the other, each walking through its addresses. */
function pick(all: readonly (readonly string[])[], n: number): string {
  const paths = all[n % all.length] ?? [];
  return paths[Math.floor(n / all.length) % paths.length] ?? '/';
}

async function sizesOf(feed: Feed, all: readonly (readonly string[])[]): Promise<number[]> {
  const sizes: number[] = [];
  for (const paths of all) sizes.push(await feed.averageBytes(paths.slice(0, 20)));
  return sizes;
}

/** One process under all of it, and what it looks like afterwards. */
async function usedResults(feed: Feed, stand: InUse, { seconds, rounds }: Settings): Promise<Result[]> {
  const results: Result[] = [];
  await feed.longestStopMs();
  const long = seconds * 10;
  results.push(...(await pacedResults(inUse.paced, stand, { seconds: long, feed })));
  const pushing = keepPushing(feed.url, pushesPerSecond);
  results.push(...(await pacedResults(inUse.pacedWithPushes, stand, { seconds: long, feed })));
  let refused = await pushing.stop();

  const paths = kinds[0]?.paths(stand.packages) ?? [];
  await measureFirst(feed.url, paths);
  const contestants: Contestant[] = [
    { name: 'alone', run: () => measure(feed.url, paths, seconds) },
    {
      name: 'beside',
      async run() {
        const beside = keepPushing(feed.url, pushesPerSecond);
        const sample = await measure(feed.url, paths, seconds);
        refused += await beside.stop();
        return sample;
      },
    },
  ];
  const outcome = await contest(contestants, rounds);
  const rate = outcome.perSecond('beside') ?? 0;
  const ratio = rate / (outcome.perSecond('alone') ?? 0);
  results.push({
    operation: inUse.besidePushes.name,
    feed: `${Math.round(rate)}/s`,
    ratio,
    against: 'without',
    errors: outcome.errors + refused,
    ...rateRatio(ratio, inUse.besidePushes),
  });

  const stop = await feed.longestStopMs();
  results.push({
    operation: inUse.stop.name,
    feed: `${stop.toFixed(0)} ${inUse.stop.unit}`,
    ...rateValue(stop, inUse.stop),
  });
  const bytes = await feed.residentBytes();
  if (bytes !== undefined) {
    const megabytes = Math.round(bytes / 1e6);
    results.push({
      operation: inUse.memory.name,
      feed: `${megabytes} MB`,
      ...rateValue(megabytes, inUse.memory),
    });
  }
  return results;
}

async function pushResults(
  { name, clients, aim }: { name: string; clients: number; aim: number },
  feed: Feed,
  { files }: InUse,
  { seconds, rounds }: Settings,
): Promise<Result[]> {
  const samples: Sample[] = [];
  const beside: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    samples.push(await measurePushes(feed.url, seconds, clients));
    beside.push(await measurePushes(files.url, seconds, clients));
  }
  return [ratioResult(name, samples, beside, aim, 'files')];
}

function ratioResult(
  operation: string,
  samples: readonly Sample[],
  beside: readonly Sample[],
  aim: number,
  against = 'bare',
): Result {
  const rate = median(samples.map(({ perSecond }) => perSecond));
  const ratio = rate / median(beside.map(({ perSecond }) => perSecond));
  return {
    operation,
    feed: `${Math.round(rate)}/s`,
    ratio,
    against,
    errors: samples.reduce((sum, { errors }) => sum + errors, 0),
    ...rateRatio(ratio, { aim }),
  };
}

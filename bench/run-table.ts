import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contest, type Contestant, contest } from './contest.ts';
import { fillData } from './fill-data.ts';
import { inUseNames, inUseResults } from './in-use.ts';
import { measure, measureFirst, median } from './load.ts';
import { type BenchPackage, listPackages, makeNupkg } from './packages.ts';
import { measurePushes, pushFile } from './pushes.ts';
import { type Result, rateRatio, rateValue } from './results.ts';
import { bigDownload, type Goal, limits, push, type ReadingRow, readingRows } from './rows.ts';
import {
  type Feed,
  type Reference,
  startBare,
  startDurable,
  startExpress,
  startFeed,
  startFiles,
  startPeer,
} from './servers.ts';
import type { Settings } from './settings.ts';

type Stand = {
  readonly feed: Feed;
  readonly bare: Reference;
  readonly express: Reference;
  readonly durable: Reference;
  readonly peer?: Reference;
};

/** The peer walks through all packages for each answer; above this size it is useless as a reference. */
const maxPeerVersions = 20_000;

/** Every row of the table at one catalog size. */
export async function runTable(settings: Settings): Promise<Result[]> {
  const { workDir, versions, isChosen, say } = settings;
  const product = await settings.product();
  const packages = listPackages(versions);
  const dataDir = join(workDir, 'data');
  const peerDir = versions <= maxPeerVersions ? join(workDir, 'packages') : undefined;
  say(`making a feed of ${versions} versions`);
  await fillData(dataDir, packages, peerDir);
  const bigFile = join(workDir, 'big.nupkg');
  const big = makeNupkg({ id: 'big', version: '1.0.0' }, bigDownload.sizeBytes);
  await writeFile(bigFile, big);

  const running: Reference[] = [];
  async function keep<Server extends Reference>(starting: Promise<Server>): Promise<Server> {
    const server = await starting;
    running.push(server);
    return server;
  }
  try {
    const stand: Stand = {
      feed: await keep(startFeed(product, dataDir)),
      bare: await keep(startBare(bigFile)),
      express: await keep(startExpress()),
      durable: await keep(startDurable(join(workDir, 'durable'))),
      ...(peerDir !== undefined && { peer: await keep(startPeer(peerDir)) }),
    };
    const results: Result[] = [];
    for (const row of readingRows.filter(({ name }) => isChosen(name))) {
      results.push(...(await readingResults(row, packages, stand, settings)));
      say(row.name);
    }
    if (isChosen(bigDownload.name)) results.push(...(await bigDownloadResults(big, stand, settings)));
    if (isChosen(push.name)) results.push(...(await pushResults(stand, settings)));
    results.push(...memoryResult(await stand.feed.residentBytes(), versions));
    await stand.feed.stop();
    const start = (): Promise<Feed> => startFeed(product, dataDir);
    results.push(await readyResult(start));
    if (inUseNames.some(isChosen)) {
      const files = await keep(startFiles(join(workDir, 'files')));
      results.push(...(await inUseResults({ start, dataDir, bare: stand.bare, files, packages }, settings)));
    }
    return results;
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

async function readingResults(
  row: ReadingRow,
  packages: readonly BenchPackage[],
  { feed, bare, express, peer }: Stand,
  { seconds, rounds }: Settings,
): Promise<Result[]> {
  const paths = row.paths(packages);
  const sameBytes = [`/${await feed.averageBytes(paths)}`];
  const reader = (name: string, url: string, asked: readonly string[]): Contestant => ({
    name,
    run: (round) => measure(url, asked, seconds, round),
  });
  const first = await measureFirst(feed.url, paths);
  const outcome = await contest(
    [
      reader('feed', feed.url, paths),
      reader('bare', bare.url, sameBytes),
      reader('express', express.url, sameBytes),
      ...(peer && row.peerPaths ? [reader('peer', peer.url, row.peerPaths(packages))] : []),
    ],
    rounds,
  );
  const bareRate = outcome.perSecond('bare') ?? 0;
  return [
    ...resultsOf(row.name, row.goals, outcome),
    {
      operation: `${row.name}, first time`,
      feed: `${Math.round(first.perSecond)}/s`,
      ratio: first.perSecond / bareRate,
      against: 'bare',
      errors: first.errors,
      verdict: '',
    },
  ];
}

async function bigDownloadResults(
  big: Buffer,
  { feed, bare }: Stand,
  { seconds, rounds }: Settings,
): Promise<Result[]> {
  await pushFile(feed.url, big);
  const paths = ['/nuget/package/big/1.0.0'];
  // Long enough for each sample to contain a few whole downloads.
  const long = Math.max(3, seconds);
  const outcome = await contest(
    [
      { name: 'feed', run: () => measure(feed.url, paths, long) },
      { name: 'bare', run: () => measure(bare.url, ['/file'], long) },
    ],
    rounds,
  );
  return resultsOf(bigDownload.name, bigDownload.goals, outcome);
}

async function pushResults({ feed, durable }: Stand, { seconds, rounds }: Settings): Promise<Result[]> {
  const outcome = await contest(
    [
      { name: 'feed', run: () => measurePushes(feed.url, seconds) },
      { name: 'durable', run: () => measurePushes(durable.url, seconds) },
    ],
    rounds,
  );
  return resultsOf(push.name, push.goals, outcome);
}

/** One line for each rival that took part. */
function resultsOf(operation: string, goals: readonly Goal[], outcome: Contest): Result[] {
  const feedRate = outcome.perSecond('feed') ?? 0;
  return goals.flatMap(({ against, ...goal }) => {
    const rate = outcome.perSecond(against);
    if (rate === undefined) return [];
    const ratio = feedRate / rate;
    const feed = `${feedRate < 100 ? feedRate.toFixed(1) : Math.round(feedRate)}/s`;
    return [{ operation, feed, ratio, against, errors: outcome.errors, ...rateRatio(ratio, goal) }];
  });
}

export function memoryResult(bytes: number | undefined, versions: number): Result[] {
  // Only Linux reports it.
  if (bytes === undefined) return [];
  const limit = versions < 100_000 ? limits.memory : limits.bigMemory;
  const megabytes = Math.round(bytes / 1e6);
  return [{ operation: limit.name, feed: `${megabytes} ${limit.unit}`, ...rateValue(megabytes, limit) }];
}

export async function readyResult(start: () => Promise<Feed>): Promise<Result> {
  const times: number[] = [];
  for (let n = 0; n < 3; n++) {
    const feed = await start();
    times.push(feed.readyMs);
    await feed.stop();
  }
  const ms = Math.round(median(times));
  return {
    operation: limits.ready.name,
    feed: `${ms} ${limits.ready.unit}`,
    ...rateValue(ms, limits.ready),
  };
}

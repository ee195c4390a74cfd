import { join } from 'node:path';
import { pathsIn } from '../server/data-dir.ts';
import { openDatabase } from '../server/database/connection.ts';
import { openEmptyDatabase } from '../server/replica/fill-database.ts';
import { hasPostgres, startPostgres } from '../test/kit/postgres.ts';
import { hasS3Server, s3Credentials, startS3Server } from '../test/kit/s3-server.ts';
import { contest } from './contest.ts';
import { fillData } from './fill-data.ts';
import { measure, measureFirst, median, type Sample } from './load.ts';
import { type BenchPackage, listPackages, makeNupkg } from './packages.ts';
import { measurePushes, pushFile } from './pushes.ts';
import { type Result, rateRatio, rateValue } from './results.ts';
import { exactly, findById, oneOfEach, replicas as rows, search, spread } from './rows.ts';
import { type Feed, startFeed } from './servers.ts';
import type { Settings } from './settings.ts';

/** What a big feed is compared with. */
const smallVersions = 10_000;

type Stand = {
  /** The same packages on one server, with SQLite and the local disk. */
  readonly alone: Feed;
  /** Two servers on PostgreSQL and an S3 server. */
  readonly pair: readonly [Feed, Feed];
  readonly packages: readonly BenchPackage[];
};

/** Two replicas on PostgreSQL and S3 beside one server with SQLite, of the same packages. */
export async function replicaResults(settings: Settings): Promise<Result[]> {
  const { workDir, versions, isChosen, say } = settings;
  if (!Object.values(rows).some(({ name }) => isChosen(name))) return [];
  if (!hasPostgres || !hasS3Server) {
    say('replicas: skipped, they need PostgreSQL and versitygw');
    return [];
  }
  const product = await settings.product();
  const packages = listPackages(versions);
  const data = join(workDir, 'data-alone');
  say(`making a feed of ${versions} versions for replicas`);
  await fillData(data, packages, undefined, new Set());
  const [postgres, s3] = [await startPostgres({ fsync: 'on' }), await startS3Server()];
  const running: Feed[] = [];
  try {
    const filled = await seconds(() => fillPostgres(postgres.url, data));
    const env = {
      PUBLIC_URL: 'http://127.0.0.1:1',
      DATABASE_URL: postgres.url,
      BLOB_STORE: `s3://${await s3.createBucket()}`,
      S3_ENDPOINT: s3.endpoint,
      S3_REGION: 'us-east-1',
      S3_FORCE_PATH_STYLE: 'true',
      ...s3Credentials,
    };
    const start = async (name: string, other: Readonly<Record<string, string>> = {}): Promise<Feed> => {
      const feed = await startFeed(product, join(workDir, name), { ...env, ...other });
      running.push(feed);
      return feed;
    };
    const [a, b] = [await start('replica-a'), await start('replica-b')];
    say(`PostgreSQL filled in ${filled.toFixed(1)} s, copied in ${(a.readyMs / 1000).toFixed(1)} s`);
    const alone = await startFeed(product, data);
    running.push(alone);
    const stand: Stand = { alone, pair: [a, b], packages };
    const results = [
      ...(await readResults(stand, settings)),
      ...(await pushResults(stand, settings)),
      await staleResult(stand, settings),
      await rareResult(stand),
      valueResult(rows.copied, Math.round(b.readyMs)),
      ...memoryOf(await a.residentBytes()),
    ];
    if (versions > smallVersions) {
      const url = await postgres.newDatabase();
      const few = await fillSmall(workDir, url);
      const bucket = { BLOB_STORE: `s3://${await s3.createBucket()}` };
      const small = await start('replica-small', { DATABASE_URL: url, ...bucket });
      results.push(await sizeResult([a, packages], [small, few], settings));
    }
    await b.stop();
    const again = await start('replica-b');
    results.push(valueResult(rows.ready, Math.round(again.readyMs)));
    return results;
  } finally {
    await Promise.all(running.map((feed) => feed.stop()));
    await Promise.all([postgres.stop(), s3.close()]);
  }
}

/** A feed with as many versions of an id, and few ids. */
async function fillSmall(workDir: string, url: string): Promise<readonly BenchPackage[]> {
  const packages = listPackages(smallVersions);
  const data = join(workDir, 'data-small');
  await fillData(data, packages, undefined, new Set());
  await fillPostgres(url, data);
  return packages;
}

type Sized = readonly [feed: Feed, packages: readonly BenchPackage[]];

/** Both are asked for as many ids, spread over the whole catalog, whose answers are in memory. */
async function sizeResult(big: Sized, small: Sized, { rounds, seconds }: Settings): Promise<Result> {
  const [, few] = small;
  const count = oneOfEach(few).length;
  const asked = [big, small].map(([{ url }, packages]) => ({
    url,
    paths: oneOfEach(packages)
      .slice(0, count)
      .map(({ id }) => findById('/nuget', id)),
  }));
  for (const { url, paths } of asked) await measureFirst(url, paths);
  // The small one has only just started.
  for (const { url, paths } of asked) await measure(url, paths, 2 * seconds);
  const found = await contest(
    asked.map(({ url, paths }, at) => ({
      name: `${at}`,
      run: (round: number) => measure(url, paths, seconds, round),
    })),
    rounds,
  );
  const [slow = 0, quick = 0] = [found.perSecond('0'), found.perSecond('1')];
  return { ...valueResult(rows.size, Number((quick / slow).toFixed(2))), errors: found.errors };
}

async function fillPostgres(url: string, dataDir: string): Promise<void> {
  const local = openDatabase(pathsIn(dataDir).database);
  try {
    await (await openEmptyDatabase(url)).fill(local);
  } finally {
    local.close();
  }
}

/** Answers from memory, and those that are made for the first time. */
async function readResults({ alone, pair, packages }: Stand, settings: Settings): Promise<Result[]> {
  const { rounds, seconds: length, say } = settings;
  const kinds = [
    ['FindPackagesById', oneOfEach(packages).map(({ id }) => findById('/nuget', id))],
    ['Packages(Id,Version)', spread(packages).map((pkg) => exactly('/nuget', pkg))],
  ] as const;
  const results: Result[] = [];
  for (const [kind, paths] of kinds) {
    const first = [await measureFirst(pair[0].url, paths), await measureFirst(alone.url, paths)] as const;
    results.push(ratio(`${rows.first.name}, ${kind}`, [first[0]], [first[1]], rows.first.must));
    const again = await contest(
      [
        { name: 'replica', run: (round) => measure(pair[0].url, paths, length, round) },
        { name: 'alone', run: (round) => measure(alone.url, paths, length, round) },
      ],
      rounds,
    );
    const [replica = 0, one = 0] = [again.perSecond('replica'), again.perSecond('alone')];
    results.push({
      ...against(`${rows.read.name}, ${kind}`, replica, one, rows.read.must),
      errors: again.errors,
    });
    say(`${rows.read.name}, ${kind}`);
  }
  return results;
}

async function pushResults({ alone, pair }: Stand, settings: Settings): Promise<Result[]> {
  const results: Result[] = [];
  for (const { name, clients } of [rows.pushOne, rows.pushEight]) {
    const [shared, one]: [Sample[], Sample[]] = [[], []];
    for (let round = 0; round < Math.min(3, settings.rounds); round += 1) {
      shared.push(await measurePushes(pair[0].url, settings.seconds, clients));
      one.push(await measurePushes(alone.url, settings.seconds, clients));
    }
    results.push(ratio(name, shared, one));
    settings.say(name);
  }
  return results;
}

/** A push at one replica, then a read at the other. */
async function staleResult({ pair }: Stand, { say }: Settings): Promise<Result> {
  const times: number[] = [];
  let stale = 0;
  for (let number = 0; number < rows.stale.pushes; number += 1) {
    const [to, from] = number % 2 === 0 ? pair : [pair[1], pair[0]];
    const pkg = { id: `seen-${number % 20}`, version: `1.${number}.0` };
    const since = performance.now();
    await pushFile(to.url, makeNupkg(pkg));
    times.push(performance.now() - since);
    const answer = await fetch(`${from.url}${exactly('/nuget', pkg)}`);
    await answer.arrayBuffer();
    if (answer.status !== 200) stale += 1;
  }
  say(`a push takes ${median(times).toFixed(0)} ms`);
  return valueResult(rows.stale, stale);
}

/** One search after the other, each for a word that hardly any package has. */
async function rareResult({ pair, packages }: Stand): Promise<Result> {
  const times: number[] = [];
  for (const { id } of oneOfEach(packages).slice(0, rows.rare.searches)) {
    const since = performance.now();
    const answer = await fetch(`${pair[0].url}${search(id)}`);
    if (!(await answer.text()).includes(id)) throw new Error(`the search does not find ${id}`);
    times.push(performance.now() - since);
  }
  return valueResult(rows.rare, Math.round(median(times)));
}

function memoryOf(bytes: number | undefined): Result[] {
  return bytes === undefined ? [] : [valueResult(rows.memory, Math.round(bytes / 1e6))];
}

function valueResult(
  row: { readonly name: string; readonly unit: string; readonly must?: number },
  value: number,
): Result {
  const { name, unit, must } = row;
  return {
    operation: name,
    feed: `${value} ${unit}`.trim(),
    ...rateValue(value, must === undefined ? {} : { must }),
  };
}

function ratio(name: string, samples: readonly Sample[], of: readonly Sample[], must?: number): Result {
  const rate = (all: readonly Sample[]): number => median(all.map(({ perSecond }) => perSecond));
  const errors = [...samples, ...of].reduce((sum, sample) => sum + sample.errors, 0);
  return { ...against(name, rate(samples), rate(of), must), errors };
}

function against(operation: string, rate: number, one: number, must?: number): Result {
  const share = rate / one;
  const feed = `${rate < 100 ? rate.toFixed(1) : Math.round(rate)}/s`;
  return {
    operation,
    feed,
    ratio: share,
    against: 'one server',
    ...rateRatio(share, must === undefined ? {} : { must }),
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return (performance.now() - since) / 1000;
}

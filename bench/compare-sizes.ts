import { join } from 'node:path';
import { contest } from './contest.ts';
import { fillData } from './fill-data.ts';
import { maxAddresses, measure, measureFirst } from './load.ts';
import { type BenchPackage, listPackages } from './packages.ts';
import { type Result, rateValue } from './results.ts';
import { limits, type ReadingRow, readingRows, spread } from './rows.ts';
import { memoryResult, readyResult } from './run-table.ts';
import { type Feed, startFeed } from './servers.ts';
import type { Settings } from './settings.ts';

const [small, big] = [10_000, 165_000];

type Sized = { readonly versions: number; readonly packages: readonly BenchPackage[]; readonly feed: Feed };

/**
 * How much slower each reading row becomes on a big feed than on a small one. First it asks both for equally many addresses,
 * spread over the whole catalog and all known to the feed. Then, where the big feed has more, it asks for all the addresses of
 * each. "First time" is the cost of an answer that is not in memory.
 */
export async function compareSizes(settings: Settings): Promise<Result[]> {
  const { workDir, isChosen, say } = settings;
  const product = await settings.product();
  const dirOf = (versions: number) => join(workDir, `data-${versions}`);
  const feeds: Sized[] = [];
  const results: Result[] = [];
  try {
    for (const versions of [small, big]) {
      say(`making a feed of ${versions} versions`);
      const packages = listPackages(versions);
      await fillData(dirOf(versions), packages, undefined, new Set(spread(packages)));
      feeds.push({ versions, packages, feed: await startFeed(product, dirOf(versions)) });
    }
    for (const row of readingRows.filter(({ name }) => isChosen(name))) {
      results.push(...(await compareRow(row, feeds, settings)));
      say(row.name);
    }
    results.push(...memoryResult(await feeds.at(-1)?.feed.residentBytes(), big));
  } finally {
    await Promise.all(feeds.map(({ feed }) => feed.stop()));
  }
  results.push(await readyResult(() => startFeed(product, dirOf(big))));
  return results;
}

async function compareRow(row: ReadingRow, feeds: readonly Sized[], settings: Settings): Promise<Result[]> {
  const all = feeds.map(({ versions, packages, feed }) => ({
    name: String(versions),
    url: feed.url,
    paths: row.paths(packages).slice(0, maxAddresses),
  }));
  const fewest = Math.min(...all.map(({ paths }) => paths.length));
  const as = all.map((feed) => ({ ...feed, paths: feed.paths.slice(0, fewest) }));
  const first = [];
  for (const { url, paths } of as) first.push(await measureFirst(url, paths));
  const alike = await compare(`${row.name}, ${fewest} addresses`, as, settings);
  const firstRatio = (first[0]?.perSecond ?? 0) / (first[1]?.perSecond ?? 0);
  const firstResult: Result = {
    operation: `${row.name}, first time`,
    feed: `${Math.round(first[1]?.perSecond ?? 0)}/s`,
    ratio: firstRatio,
    against: `${small} versions`,
    errors: first.reduce((sum, { errors }) => sum + errors, 0),
    verdict: '',
  };
  const most = all.at(-1)?.paths.length ?? 0;
  if (most === fewest) return [alike, firstResult];
  for (const { url, paths } of all) await measureFirst(url, paths);
  return [alike, firstResult, await compare(`${row.name}, all ${most}`, all, settings)];
}

type Asked = { readonly name: string; readonly url: string; readonly paths: readonly string[] };

async function compare(
  operation: string,
  feeds: readonly Asked[],
  { seconds, rounds }: Settings,
): Promise<Result> {
  const contestants = feeds.map(({ name, url, paths }) => ({
    name,
    run: (round: number) => measure(url, paths, seconds, round),
  }));
  const { perSecond, errors } = await contest(contestants, rounds);
  const [slow = 0, quick = 0] = [perSecond(String(big)), perSecond(String(small))];
  const ratio = quick / slow;
  return {
    operation,
    feed: `${Math.round(slow)}/s`,
    ratio,
    against: `${small} versions`,
    errors,
    ...rateValue(ratio, limits.slowdown),
  };
}

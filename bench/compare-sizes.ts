import { join } from 'node:path';
import { contest } from './contest.ts';
import { fillData } from './fill-data.ts';
import { measure, measureFirst } from './load.ts';
import { listPackages } from './packages.ts';
import { judgeValue, type Result } from './results.ts';
import { limits, readingRows } from './rows.ts';
import { memoryResult, readyResult } from './run-table.ts';
import { startFeed } from './servers.ts';
import { productOf, type Settings } from './settings.ts';

const [small, big] = [10_000, 165_000];

/** The reading rows of a big feed beside those of a small one: how much slower each became. */
export async function compareSizes(settings: Settings): Promise<Result[]> {
  const { workDir, seconds, rounds, isChosen, say } = settings;
  const product = await productOf(settings);
  const sizes = [];
  for (const versions of [small, big]) {
    say(`making a feed of ${versions} versions`);
    const packages = listPackages(versions);
    const dataDir = join(workDir, `data-${versions}`);
    await fillData(dataDir, packages);
    sizes.push({ versions, packages, dataDir });
  }
  const results: Result[] = [];
  const feeds = [];
  try {
    for (const size of sizes) feeds.push({ ...size, feed: await startFeed(product, size.dataDir) });
    for (const row of readingRows.filter(({ name }) => isChosen(name))) {
      for (const { packages, feed } of feeds) await measureFirst(feed.url, row.paths(packages));
      const contestants = feeds.map(({ versions, packages, feed }) => {
        const paths = row.paths(packages);
        return {
          name: String(versions),
          run: (round: number) => measure(feed.url, paths, seconds, round),
        };
      });
      const { perSecond, errors } = await contest(contestants, rounds);
      const [slow = 0, quick = 0] = [perSecond(String(big)), perSecond(String(small))];
      const ratio = quick / slow;
      say(row.name);
      results.push({
        operation: `${row.name}, slower at ${big}`,
        feed: `${Math.round(slow)}/s`,
        ratio,
        against: `${small} versions`,
        errors,
        ...judgeValue(ratio, limits.slowdown),
      });
    }
    results.push(...memoryResult(await feeds.at(-1)?.feed.residentBytes(), big));
  } finally {
    await Promise.all(feeds.map(({ feed }) => feed.stop()));
  }
  results.push(await readyResult(() => startFeed(product, join(workDir, `data-${big}`))));
  return results;
}

import { bigPackages } from '../big-packages.ts';
import { kinds } from '../kinds.ts';
import { measureFirst } from '../load.ts';
import { pace } from '../paced.ts';
import { pushFile, pushNext } from '../pushes.ts';
import { type Result, rateValue } from '../results.ts';
import { inUse } from '../rows.ts';
import type { Feed } from '../servers.ts';
import type { InUse } from './feed.ts';

const readsPerSecond = 300;

/** The longest stop, and the slowest reads, while one package is pushed that takes long to check. */
export async function bigPushResults(feed: Feed, { packages }: InUse): Promise<Result[]> {
  const paths = kinds.map((kind) => kind.paths(packages)[0] ?? '/');
  await measureFirst(feed.url, paths);
  await pushNext(feed.url);
  const results: Result[] = [];
  for (const { name, make } of bigPackages) {
    const nupkg = await make('1.0.0');
    await feed.longestStopMs();
    let isOver = false;
    const pushing = pushFile(feed.url, nupkg).finally(() => {
      isOver = true;
    });
    let slowest = 0;
    let errors = 0;
    while (!isOver) {
      const reads = await pace((n) => `${feed.url}${paths[n % paths.length]}`, readsPerSecond, 0.5);
      slowest = Math.max(slowest, reads.p99);
      errors += reads.errors;
    }
    await pushing;
    const stop = await feed.longestStopMs();
    const { name: row, unit } = inUse.stopByPush;
    const operation = `${row}: ${name}`;
    results.push(
      { operation, feed: `${stop.toFixed(0)} ${unit}`, errors, ...rateValue(stop, inUse.stopByPush) },
      { operation: `${operation}, p99 of reads`, feed: `${slowest.toFixed(0)} ms`, verdict: '' },
    );
  }
  return results;
}

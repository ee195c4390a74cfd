import { type Contestant, contest } from '../contest.ts';
import { kinds } from '../kinds.ts';
import { measure, measureFirst } from '../load.ts';
import { keepPushing } from '../pushes.ts';
import { type Result, rateRatio, rateValue } from '../results.ts';
import { inUse } from '../rows.ts';
import type { Feed } from '../servers.ts';
import type { Settings } from '../settings.ts';
import type { InUse } from './feed.ts';
import { pacedResults } from './paced.ts';

const pushesPerSecond = 10;

/** One process: reads at a fixed rate, once it is warm, with and without pushes, then its longest stop and its memory. */
export async function longRunResults(
  feed: Feed,
  stand: InUse,
  { seconds, rounds }: Settings,
): Promise<Result[]> {
  const results: Result[] = [];
  await feed.longestStopMs();
  const long = seconds * 10;
  // Unmeasured: the first seconds after a start have a row of their own.
  await pacedResults(inUse.paced, stand, { seconds: long, feed });
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

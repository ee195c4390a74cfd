import { kinds } from '../kinds.ts';
import { pace } from '../paced.ts';
import { type Result, rateValue } from '../results.ts';
import type { Feed } from '../servers.ts';
import { type InUse, withOneFeed } from './feed.ts';

const readsPerSecond = 300;

type Paced = { readonly name: string; readonly aim: number };

/**
 * Latencies of reads that come at a fixed rate, beside those of the bare server.
 * @param isNew nothing is asked before, so that the first answers count
 */
export async function pacedResults(
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

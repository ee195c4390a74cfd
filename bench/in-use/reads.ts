import { setTimeout as sleep } from 'node:timers/promises';
import { type Kind, kinds } from '../kinds.ts';
import { measure, measureFirst, type Sample } from '../load.ts';
import { pushNext } from '../pushes.ts';
import { type Result, ratioResult } from '../results.ts';
import { inUse, rowOf } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { type InUse, withOneFeed } from './feed.ts';

/** Downloads are written after 5 s; an answer that shows them may be 20 s old by then. */
const countsShownMs = 27_000;

/** So much has the program answered when it is measured: by then V8 has compiled what runs for each answer. */
const warmingAnswers = 5_000;

/**
 * Nothing in memory: a new process in each round. A tenth of the addresses, each in many spellings, warm the program up; all others are
 * asked for once.
 */
export async function firstResults(kind: Kind, stand: InUse, { rounds }: Settings): Promise<Result[]> {
  const paths = kind.paths(stand.packages);
  const warm = paths.filter((_, n) => n % 10 === 0);
  const others = paths.filter((_, n) => n % 10 !== 0);
  const samples: Sample[] = [];
  const bare: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    await withOneFeed(stand, async (feed) => {
      const bytes = await feed.averageBytes(warm);
      for (let n = 0; n * warm.length < warmingAnswers; n++) {
        await measureFirst(feed.url, warm.map(spelledAgain(n)));
      }
      samples.push(await measureFirst(feed.url, others));
      bare.push(...(await measureBare(stand, bytes, others)));
    });
  }
  return [ratioResult(rowOf(kind, inUse.first), samples, bare, kind.first)];
}

/** Responses in memory after a push: one package of another id is pushed and each address is asked for once, over and over. */
export async function changedResults(kind: Kind, stand: InUse, { seconds }: Settings): Promise<Result[]> {
  return withOneFeed(stand, async (feed) => {
    const paths = kind.paths(stand.packages);
    const bytes = await feed.averageBytes(paths);
    await measureFirst(feed.url, paths);
    // Warm is what prepares responses now, and not yet what answers from memory.
    await measure(feed.url, paths, seconds);
    const samples: Sample[] = [];
    const again: Sample[] = [];
    const bare: Sample[] = [];
    const end = performance.now() + seconds * 3000;
    while (performance.now() < end) {
      await pushNext(feed.url);
      samples.push(await measureFirst(feed.url, paths));
      again.push(await measureFirst(feed.url, paths));
      bare.push(...(await measureBare(stand, bytes, paths)));
    }
    const name = rowOf(kind, inUse.changed);
    const toBare = ratioResult(name, samples, bare, kind.changed);
    if (kind.asAgain === undefined) return [toBare];
    return [toBare, ratioResult(`${name}, to asking again`, samples, again, kind.asAgain, 'again')];
  });
}

/** Few enough for the response cache to keep those of all kinds. */
const askedAfterDownload = 250;
const downloadRounds = 3;

/** Responses in memory after a download: each address is asked for once, when the new count has to be shown. */
export async function downloadedResults(stand: InUse): Promise<Result[]> {
  const { packages } = stand;
  return withOneFeed(stand, async (feed) => {
    const rows = kinds.map((kind) => {
      const all = kind.paths(packages);
      const paths = all.slice(0, askedAfterDownload);
      const none = { samples: [] as Sample[], again: [] as Sample[], bare: [] as Sample[] };
      return { kind, paths, others: all.slice(askedAfterDownload, askedAfterDownload + 50), ...none };
    });
    for (const { paths } of rows) await measureFirst(feed.url, paths);
    const [first] = packages;
    for (let round = 0; round < downloadRounds; round++) {
      await measureFirst(feed.url, [`/nuget/package/${first?.id}/${first?.version}`]);
      await sleep(countsShownMs);
      for (const { paths, others, samples, again, bare } of rows) {
        // The program has done nothing for long, and a row takes milliseconds: warm as where somebody asks all the time.
        await measure(feed.url, others, 0.5);
        samples.push(await measureFirst(feed.url, paths));
        again.push(await measureFirst(feed.url, paths));
        const bytes = await feed.averageBytes(paths);
        bare.push(...(await measureBare(stand, bytes, paths)));
      }
    }
    return rows.flatMap(({ kind, samples, again, bare }) => {
      const name = rowOf(kind, inUse.downloaded);
      const toBare = ratioResult(name, samples, bare, kind.changed);
      if (kind.asAgain === undefined) return [toBare];
      return [toBare, ratioResult(`${name}, to asking again`, samples, again, kind.asAgain, 'again')];
    });
  });
}

/** A sample takes bare some hundredths of a second, so one alone says little. */
const bareSamples = 5;

/** As many answers over as many new connections, since such a sample is too short for those not to show. */
async function measureBare({ bare }: InUse, bytes: number, paths: readonly string[]): Promise<Sample[]> {
  const path = `/${bytes}`;
  await measure(bare.url, [path], 0.3);
  const samples: Sample[] = [];
  while (samples.length < bareSamples) {
    samples.push(
      await measureFirst(
        bare.url,
        paths.map(() => path),
      ),
    );
  }
  return samples;
}

/** The same question by another address, so that it is answered anew. */
function spelledAgain(n: number): (path: string) => string {
  return (path) => `${path}${path.includes('?') ? '&' : '?'}again=${n}`;
}

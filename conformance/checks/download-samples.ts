import { propertyOf } from '../../formats/atom-page.ts';
import { type Entry, newestOf as newest } from '../atom.ts';
import type { Context } from '../context.ts';
import { listedStable, pick, type Samples, stable } from '../samples.ts';
import { skip } from '../verdict.ts';
import type { Answer } from '../wire/answer.ts';

/** Read whole into memory, so the smallest that there is. */
export function smallest(samples: Samples): { sample: Samples['all'][number]; entry: Entry } {
  stable(samples);
  return pick(
    { ...samples, all: [...samples.all].sort((a, b) => sizeOf(a) - sizeOf(b)) },
    'package of less than 100 MB',
    (sample) => {
      const entry = newest(listedStable(sample.entries));
      return entry !== undefined && sizeOf(sample) < 100 * 1024 ** 2 && entry;
    },
  );
}

function sizeOf({ entries }: Samples['all'][number]): number {
  const entry = newest(listedStable(entries));
  return entry === undefined ? Number.POSITIVE_INFINITY : Number(propertyOf(entry, 'PackageSize') || 0);
}

export async function download(
  { feed, samples }: Pick<Context, 'feed' | 'samples'>,
  headers: Record<string, string> = {},
): Promise<{ answer: Answer; entry: Entry }> {
  const { entry } = smallest(samples);
  if (entry.source === undefined) skip('the entry has no content src');
  // A redirect to storage is fine (spec nuget-v2 9.8).
  return { answer: await feed.askFollowing(entry.source, { headers }), entry };
}

export function isZip({ body }: Answer): boolean {
  return body.subarray(0, 4).toString('latin1') === 'PK\x03\x04';
}

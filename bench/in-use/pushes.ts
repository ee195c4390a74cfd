import type { Sample } from '../load.ts';
import { measurePushes } from '../pushes.ts';
import { type Result, ratioResult } from '../results.ts';
import type { Feed } from '../servers.ts';
import type { Settings } from '../settings.ts';
import type { InUse } from './feed.ts';

export async function pushResults(
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

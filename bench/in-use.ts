import { bigPushResults } from './in-use/big-pushes.ts';
import { clientResults } from './in-use/clients.ts';
import { type InUse, withOneFeed } from './in-use/feed.ts';
import { longRunResults } from './in-use/long-run.ts';
import { pacedResults } from './in-use/paced.ts';
import { pushResults } from './in-use/pushes.ts';
import { changedResults, downloadedResults, firstResults } from './in-use/reads.ts';
import { kinds } from './kinds.ts';
import type { Result } from './results.ts';
import { clients, inUse, rowOf } from './rows.ts';
import type { Settings } from './settings.ts';

/** How fast a feed answers while packages are pushed and downloaded, and what nobody has asked for before. */
export async function inUseResults(stand: InUse, settings: Settings): Promise<Result[]> {
  const { isChosen, say } = settings;
  const results: Result[] = [];
  const row = async (name: string, make: () => Promise<readonly Result[]>): Promise<void> => {
    if (!isChosen(name)) return;
    results.push(...(await make()));
    say(name);
  };
  for (const kind of kinds) {
    await row(rowOf(kind, inUse.first), () => firstResults(kind, stand, settings));
  }
  for (const kind of kinds) {
    await row(rowOf(kind, inUse.changed), () => changedResults(kind, stand, settings));
  }
  await row(inUse.downloaded, () => downloadedResults(stand));
  await row(inUse.pacedAtStart.name, () =>
    pacedResults(inUse.pacedAtStart, stand, { seconds: 10, isNew: true }),
  );
  await row('in use', () => withOneFeed(stand, (feed) => longRunResults(feed, stand, settings)));
  for (const which of [inUse.pushOne, inUse.pushEight]) {
    await row(which.name, () => withOneFeed(stand, (feed) => pushResults(which, feed, stand, settings)));
  }
  await row(inUse.stopByPush.name, () => withOneFeed(stand, (feed) => bigPushResults(feed, stand)));
  // Last: its rollouts stay open.
  await row(clients.name, () => clientResults(stand, settings));
  return results;
}

/** Every row by its name, for the help. */
export const inUseNames: readonly string[] = [
  ...kinds.flatMap((kind) => [rowOf(kind, inUse.first), rowOf(kind, inUse.changed)]),
  inUse.downloaded,
  inUse.pacedAtStart.name,
  'in use',
  inUse.pushOne.name,
  inUse.pushEight.name,
  inUse.stopByPush.name,
  clients.name,
];

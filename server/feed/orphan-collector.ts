import { dayMs } from '../../formats/duration.ts';
import type { BlobReader } from '../blobs/blob-store.ts';
import type { OrphanQueue } from '../blobs/orphan-queue.ts';
import type { Logger } from '../log.ts';
import type { Purging } from './purge.ts';

const wrongPair =
  'the database names fewer than half of the blobs in the object store, so none is removed: check that DATABASE_URL and BLOB_STORE belong together, and that no other feed uses this prefix';

export type OrphanCollector = {
  start(): void;
  stop(): Promise<void>;
  /** Once, now. Returns how many blobs it has queued for removal. */
  collect(): Promise<number>;
  /** Its runs since the start. */
  runs(): CollectorRuns;
};

export type CollectorRuns = {
  readonly done: number;
  /** Those among them that removed nothing, since database and store do not seem to belong together. */
  readonly failed: number;
  /** Blobs that were queued for removal. */
  readonly removed: number;
};

/** Since a blob was first found without a name: whoever dumps the database has this time to copy the store (docs/operate/replicas.md). */
const orphanMs = 7 * dayMs;
const everyMs = 6 * 60 * 60_000;
/** The next run finds the rest. */
const maxAtOnce = 1000;

/**
 * Removes blobs that no row has named for a week: those of servers that were killed before they wrote the row, and packs of the bucket
 * that others replace. The time counts from the first run that finds a blob without a name, on any server. Every server that shares the
 * store has a collector, with its own times. It also finishes removals that another server began.
 *
 * Where the rows name fewer than half of the blobs, the database is probably not the one that belongs to this store: nothing is noted
 * and nothing removed.
 */
export function createOrphanCollector({
  blobs,
  orphans,
  purging,
  now,
  log,
}: {
  readonly blobs: Pick<BlobReader, 'list'>;
  readonly orphans: OrphanQueue;
  readonly purging: Pick<Purging, 'sweep'>;
  readonly now: () => Date;
  readonly log: Logger;
}): OrphanCollector {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let isStopped = false;
  let runs: CollectorRuns = { done: 0, failed: 0, removed: 0 };

  async function collect(): Promise<number> {
    try {
      const due = await look();
      await purging.sweep();
      if (due === 'refused') runs = { ...runs, failed: runs.failed + 1 };
      else runs = { ...runs, done: runs.done + 1, removed: runs.removed + due };
      return due === 'refused' ? 0 : due;
    } catch (error) {
      runs = { ...runs, failed: runs.failed + 1 };
      throw error;
    }
  }

  async function look(): Promise<number | 'refused'> {
    const [isNamed, known] = [await orphans.names(), await orphans.known()];
    const gone = new Set(known.keys());
    const [fresh, due]: [string[], string[]] = [[], []];
    let stored = 0;
    let named = 0;
    for await (const { sha256 } of blobs.list()) {
      if (isStopped) return 0;
      stored += 1;
      if (isNamed(sha256)) {
        named += 1;
        continue;
      }
      gone.delete(sha256);
      const since = known.get(sha256);
      if (since === undefined) fresh.push(sha256);
      else if (now().getTime() - since.getTime() > orphanMs) due.push(sha256);
    }
    if (named * 2 < stored) {
      log.error({ stored, named }, wrongPair);
      return 'refused';
    }
    const first = (sha256s: readonly string[]) => sha256s.slice(0, maxAtOnce);
    await orphans.note({ fresh: first(fresh), gone: [...gone], due: first(due) });
    return first(due).length;
  }

  function again(afterMs: number): void {
    timer = setTimeout(() => {
      running = collect()
        .then((count) => count > 0 && log.info({ count }, 'removing blobs that nobody has named for a week'))
        .catch((error: unknown) => log.error({ err: error }, 'forgotten blobs could not be looked for'))
        .finally(() => isStopped || again(everyMs));
    }, afterMs).unref();
  }

  return {
    // Servers that start together do not list the store together.
    start: () => again(Math.random() * everyMs),
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
    collect,
    runs: () => runs,
  };
}

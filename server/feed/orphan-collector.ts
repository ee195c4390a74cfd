import type { BlobReader } from '../blobs/blob-store.ts';
import type { OrphanQueue } from '../blobs/orphan-queue.ts';
import type { Logger } from '../log.ts';
import type { Purging } from './purge.ts';

export type OrphanCollector = {
  start(): void;
  stop(): Promise<void>;
  /** Once, now. Returns how many blobs it found that nobody names. */
  collect(): Promise<number>;
};

/** A backup of the database that is younger finds its bytes (docs/operate/replicas.md). */
const orphanMs = 7 * 24 * 60 * 60_000;
const everyMs = 6 * 60 * 60_000;
/** The next run finds the rest. */
const maxAtOnce = 1000;

/**
 * Removes blobs that no row has named for a week: uploads that were refused, or whose server was killed before it wrote the row. Every
 * server that shares the store runs one, at its own times; they need not know of each other. It also finishes removals that another
 * server began.
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

  async function collect(): Promise<number> {
    const isNamed = await orphans.names();
    const forgotten: string[] = [];
    for await (const { sha256, written } of blobs.list()) {
      if (isStopped || forgotten.length >= maxAtOnce) break;
      if (now().getTime() - written.getTime() > orphanMs && !isNamed(sha256)) forgotten.push(sha256);
    }
    await orphans.add(forgotten);
    await purging.sweep();
    return forgotten.length;
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
  };
}

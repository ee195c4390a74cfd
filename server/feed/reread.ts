import { withNupkg } from '../../formats/nupkg.ts';
import { nuspecWithItsFiles } from '../../formats/nupkg-files.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { UnreadNuspec, UnreadNuspecs } from '../catalog/unread-nuspecs.ts';
import type { Logger } from '../log.ts';
import { createPause } from '../pause.ts';
import { blobSource } from './blob-source.ts';

/** The number of packages that are stored in one transaction. */
const batchSize = 50;

export type Rereading = {
  /** Processes all remaining packages in the background. */
  start(): void;
  /** Resolves when nothing is read or written any more. */
  stop(): Promise<void>;
};

/**
 * Reads the nuspecs of packages that were published before this program knew a field, once: the database records which ones are
 * left, so a stopped server continues where it was. One package is open at a time, and requests are answered meanwhile.
 */
export function createRereading(services: {
  readonly unread: UnreadNuspecs;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly log: Logger;
}): Rereading {
  const { unread, blobs, log } = services;
  let isStopped = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    const pause = createPause();
    let done = 0;
    for (;;) {
      const batch = isStopped ? [] : await unread.next(batchSize);
      if (batch.length === 0) break;
      const read: { of: UnreadNuspec; nuspec: Nuspec | undefined }[] = [];
      for (const of of batch) {
        if (isStopped) break;
        read.push({ of, nuspec: await readAgain(of) });
        if (pause.isDue()) await pause.take();
      }
      await unread.store(read);
      done += read.length;
    }
    if (done > 0) log.info({ packages: done }, 'read the nuspecs of older packages again');
  }

  async function readAgain(of: UnreadNuspec): Promise<Nuspec | undefined> {
    try {
      return await withNupkg(blobSource(blobs, of), nuspecWithItsFiles);
    } catch (error) {
      // The package is shown as before; feed:verify reports what is wrong with it.
      log.warn({ err: error, id: of.id, version: of.normalizedVersion }, 'a package could not be read again');
      return undefined;
    }
  }

  return {
    start() {
      running ??= run().catch((error: unknown) => log.error({ err: error }, 'older packages not read again'));
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

import { randomUUID } from 'node:crypto';
import { renameSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { FeedError } from '../errors.ts';
import type { BlobDraft, BlobStore } from './blob-store.ts';
import { type DraftFile, receiveDraft } from './disk-draft.ts';
import { createFolders } from './disk-folders.ts';
import { createDiskReader, pathOfBlob } from './disk-reader.ts';

/**
 * Blobs on a disk, in one folder:
 *
 *     ab/cd/abcd...   the blob whose SHA-256 is abcd...; complete, fsynced, never changed
 *     tmp/UUID        drafts; whatever is here when the store opens was left by a crash and is removed
 *
 * Both lie on one file system, so that a draft becomes a blob by a rename. One process owns the folder.
 */
export async function openDiskStore(dir: string): Promise<BlobStore> {
  const root = path.resolve(dir);
  const tmp = path.join(root, 'tmp');
  await rm(tmp, { recursive: true, force: true });
  await mkdir(tmp, { recursive: true });

  const folders = createFolders(root);
  await folders.sync(path.dirname(root));

  async function receive(source: Readable, maxBytes: number): Promise<BlobDraft> {
    try {
      return createDraft(await receiveDraft(tmp, source, maxBytes));
    } catch (error) {
      throw roomError(error);
    }
  }

  function createDraft({ path: draft, digest, durable, openSource }: DraftFile): BlobDraft {
    const target = pathOfBlob(root, digest.sha256);
    let isMoved = false;

    async function commit(): Promise<void> {
      try {
        // A blob that is there is kept (it may be open); one of another size was torn by a dying disk, and is healed.
        await Promise.all([folders.make(path.dirname(target)), durable]);
        if (sizeOf(target) === digest.sizeBytes) await rm(draft, { force: true });
        else await move(draft, target, digest.sizeBytes);
        isMoved = true;
        // Also when another push has just put the same bytes there: it may not have come to its own fsync yet.
        await folders.sync(path.dirname(target));
      } catch (error) {
        throw roomError(error);
      }
    }

    async function discard(): Promise<void> {
      if (isMoved) return;
      // A file that is still being written would come back after its removal.
      await durable.catch(() => undefined);
      await rm(draft, { force: true });
    }

    return { digest, openSource, commit, discard };
  }

  async function remove(sha256: string): Promise<void> {
    await rm(pathOfBlob(root, sha256), { force: true });
  }

  async function ping(): Promise<void> {
    const probe = path.join(tmp, `ping-${randomUUID()}`);
    try {
      await writeFile(probe, 'ping', { flag: 'wx' });
      await readFile(probe);
      await readdir(root);
    } finally {
      await rm(probe, { force: true });
    }
  }

  return { ...createDiskReader(root), receive, remove, ping };
}

/** On this thread, as all that does not wait for the disk: the way to another one and back takes longer. */
async function move(draft: string, target: string, sizeBytes: number): Promise<void> {
  try {
    renameSync(draft, target);
  } catch (error) {
    // Windows refuses to replace an open file: two equal pushes at once, and the other one was first.
    if (sizeOf(target) !== sizeBytes) throw error;
    await rm(draft, { force: true });
  }
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

function roomError(error: unknown): unknown {
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG') ? new FeedError('STORAGE_FULL', {}, error) : error;
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDigester, type Digest } from '../../formats/digest.ts';
import { FeedError } from '../errors.ts';
import type { BlobDraft, BlobStore } from './blob-store.ts';
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

  async function receive(source: Readable, maxBytes: number): Promise<BlobDraft> {
    const draft = path.join(tmp, randomUUID());
    const digester = createDigester();
    const file = createWriteStream(draft, { flags: 'wx', flush: true });
    try {
      await pipeline(source, limitTo(maxBytes), digester, file);
    } catch (error) {
      // A pipeline may fail while its file is still being opened: a name removed before it is made would stay.
      if (!file.closed) await new Promise<void>((resolve) => file.once('close', () => resolve()));
      await rm(draft, { force: true });
      throw roomError(error);
    }
    return createDraft(draft, digester.digest());
  }

  function createDraft(draft: string, digest: Digest): BlobDraft {
    const target = pathOfBlob(root, digest.sha256);

    async function commit(): Promise<void> {
      try {
        await mkdir(path.dirname(target), { recursive: true });
        await moveUnlessThere(draft, target, digest.sizeBytes);
        // Also when another push has just put the same bytes there: it may not have come to its own fsync yet.
        await syncFolders(path.dirname(target), root);
      } catch (error) {
        throw roomError(error);
      }
    }

    return { path: draft, digest, commit, discard: () => rm(draft, { force: true }) };
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

function limitTo(maxBytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > maxBytes) done(new FeedError('PACKAGE_TOO_LARGE', { maxBytes }));
      else done(null, chunk);
    },
  });
}

/** A blob that is there is kept (it may be open); one of another size was torn by a dying disk, and is healed. */
async function moveUnlessThere(draft: string, target: string, sizeBytes: number): Promise<void> {
  if ((await sizeOf(target)) === sizeBytes) {
    await rm(draft, { force: true });
    return;
  }
  try {
    await rename(draft, target);
  } catch (error) {
    // Windows refuses to replace an open file: two equal pushes at once, and the other one was first.
    if ((await sizeOf(target)) !== sizeBytes) throw error;
    await rm(draft, { force: true });
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Makes names durable, from a folder up to the root. Windows cannot fsync a folder; NTFS journals its names. */
async function syncFolders(from: string, root: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (let folder = from; ; folder = path.dirname(folder)) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (folder === root) return;
  }
}

function roomError(error: unknown): unknown {
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG') ? new FeedError('STORAGE_FULL', {}, error) : error;
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Digest } from '../../formats/digest.ts';
import type { BlobStore, Upload } from './blob-store.ts';
import { createFolders } from './disk-folders.ts';
import { createDiskReader, oldPathOfBlob, pathOfBlob } from './disk-reader.ts';
import { hasCode, isFull, roomError } from './disk-room.ts';
import { syncFile } from './disk-sync.ts';
import { receiveFile, type UploadedFile } from './disk-upload.ts';
import { createHolds } from './holds.ts';

/**
 * Blobs on a disk, in one folder:
 *
 *     ab/abcd...      the blob whose SHA-256 is abcd...; complete, never changed, fsynced (a small one within a minute)
 *     ab/cd/abcd...   the same, where an earlier version or a restored backup put it
 *     tmp/UUID        uploads; whatever is here when the store opens was left by a crash and is removed
 *
 * Both lie on one file system, so that an upload becomes a blob by a rename. One process owns the folder.
 */
export async function openDiskStore(dir: string): Promise<BlobStore> {
  const root = path.resolve(dir);
  const tmp = path.join(root, 'tmp');
  await rm(tmp, { recursive: true, force: true });
  await mkdir(tmp, { recursive: true });

  const folders = createFolders(root);
  const holds = createHolds();
  await folders.sync(path.dirname(root));

  async function receive(source: Readable, maxBytes: number): Promise<Upload> {
    try {
      return createDraft(await receiveFile(tmp, source, maxBytes));
    } catch (error) {
      throw roomError(error);
    }
  }

  function createDraft(file: UploadedFile): Upload {
    const { digest, bytes } = file;
    const target = pathOfBlob(root, digest.sha256);
    let hasFile = bytes === undefined;
    let letGo: (() => void) | undefined;

    function hold(): void {
      letGo ??= holds.hold(digest.sha256);
    }

    async function commit(): Promise<void> {
      hasFile = true;
      hold();
      try {
        await Promise.all([folders.make(path.dirname(target)), file.durable()]);
        // An existing blob is kept (it may be open), unless a failing disk damaged it: then it is replaced.
        if (!isThere(target, digest, bytes)) move(file.path, target, digest, bytes);
        else await rm(file.path, { force: true });
        hasFile = false;
        // Even if another push has just stored the same bytes: it may not have reached its own fsync yet.
        await folders.sync(path.dirname(target));
      } catch (error) {
        throw roomError(error);
      }
    }

    async function commitPending(): Promise<Buffer | undefined> {
      if (bytes === undefined) {
        await commit();
        return undefined;
      }
      hold();
      try {
        if (!isThere(target, digest, bytes)) {
          hasFile = true;
          await file.write();
          moveAnywhere(file.path, target, digest, bytes);
          hasFile = false;
        }
        return bytes;
      } catch (error) {
        throw roomError(error);
      }
    }

    async function discard(): Promise<void> {
      letGo?.();
      letGo = undefined;
      if (!hasFile) return;
      // A file that is still being written would reappear after its removal.
      if (bytes === undefined) await file.durable().catch(() => undefined);
      await rm(file.path, { force: true });
    }

    return { digest, content: bytes ?? file.path, commit, commitPending, discard };
  }

  async function flush(sha256s: readonly string[]): Promise<void> {
    const files = sha256s.map((sha256) => pathOfBlob(root, sha256));
    await syncEach(files, syncFile);
    await syncEach([...new Set(files.map((file) => path.dirname(file)))], async (folder) => {
      await folders.make(folder);
      await folders.sync(folder);
    });
  }

  async function repair(sha256: string, bytes: Buffer): Promise<void> {
    const written = path.join(tmp, randomUUID());
    const target = pathOfBlob(root, sha256);
    try {
      writeFileSync(written, bytes, { flag: 'wx' });
      moveAnywhere(written, target, { sizeBytes: bytes.length }, bytes);
    } catch (error) {
      await rm(written, { force: true });
      throw roomError(error);
    }
  }

  async function remove(sha256: string): Promise<boolean> {
    if (holds.has(sha256)) return false;
    for (const file of [pathOfBlob(root, sha256), oldPathOfBlob(root, sha256)]) {
      if (!existsSync(file)) continue;
      rmSync(file, { force: true });
      // So that a power cut does not bring it back.
      await folders.sync(path.dirname(file));
    }
    // A push may have stored the bytes again during the fsync, even one that is then refused because its version was purged, or may be
    // doing so.
    return !holds.has(sha256) && !existsSync(pathOfBlob(root, sha256));
  }

  async function ping(): Promise<void> {
    const probe = path.join(tmp, `ping-${randomUUID()}`);
    try {
      await writeFile(probe, 'ping', { flag: 'wx' });
      await readFile(probe);
    } catch (error) {
      // Pushes say so; whoever reads must not be sent away.
      if (!isFull(error)) throw error;
    } finally {
      await rm(probe, { force: true });
    }
    await readdir(root);
  }

  return { ...createDiskReader(root), receive, flush, repair, remove, ping };
}

/** Synchronous, like everything that does not wait for the disk: a round trip to another thread takes longer. */
function move(upload: string, target: string, size: Pick<Digest, 'sizeBytes'>, bytes?: Buffer): void {
  try {
    renameSync(upload, target);
  } catch (error) {
    // Windows refuses to replace an open file: two equal pushes came at once, and the other one was first.
    if (!isThere(target, size, bytes)) throw error;
    rmSync(upload, { force: true });
  }
}

/** Also into a folder that does not exist yet. */
function moveAnywhere(...[upload, target, size, bytes]: Parameters<typeof move>): void {
  try {
    move(upload, target, size, bytes);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    mkdirSync(path.dirname(target), { recursive: true });
    move(upload, target, size, bytes);
  }
}

/** Small files are compared byte by byte: after a power cut a file may have the right size but other content. */
function isThere(file: string, { sizeBytes }: Pick<Digest, 'sizeBytes'>, bytes?: Buffer): boolean {
  if (statSync(file, { throwIfNoEntry: false })?.size !== sizeBytes) return false;
  return bytes === undefined || readFileSync(file).equals(bytes);
}

/** How many background fsyncs may run at once: they share the disk with pushes. */
const parallelSyncs = 4;

async function syncEach(paths: readonly string[], sync: (path: string) => Promise<void>): Promise<void> {
  const rest = paths.values();
  async function work(): Promise<void> {
    for (const one of rest) await sync(one);
  }
  await Promise.all(Array.from({ length: parallelSyncs }, work));
}

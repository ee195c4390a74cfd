import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BlobReader, StoredBlob } from './blob-store.ts';
import { createPieceReader, pieceBytes } from './disk-pieces.ts';

/** The path of a blob: `ab/abcd...`. @throws TypeError */
export function pathOfBlob(root: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new TypeError(`Not a SHA-256 in lower-case hex: ${sha256}`);
  return path.join(root, sha256.slice(0, 2), sha256);
}

/** The path in versions before 0.2 and in backups: `ab/cd/abcd...`. Nothing is ever moved from there. @throws TypeError */
export function oldPathOfBlob(root: string, sha256: string): string {
  const now = pathOfBlob(root, sha256);
  return path.join(path.dirname(now), sha256.slice(2, 4), sha256);
}

/** Reads blobs from a folder that another process may be writing to; it never changes anything. */
export function createDiskReader(root: string): BlobReader {
  const readPieces = createPieceReader();
  return {
    async has(sha256) {
      return (await statBlob(root, sha256)) !== undefined;
    },
    async open(sha256, range) {
      // Opened before a stream is made of it, so that a missing file is an error of this call and not of the stream.
      const file = await openFile(root, sha256);
      const { size } = await file.stat();
      // Node allocates memory for a whole piece even if the file has only a few kilobytes.
      const highWaterMark = Math.max(1, Math.min(pieceBytes, size));
      return file.createReadStream({ ...range, highWaterMark });
    },
    async readTo(sha256, range, take) {
      await readPieces(await openFile(root, sha256), range, take);
    },
    readSmall(sha256, sizeBytes) {
      const file = openFileSync(root, sha256);
      try {
        // One extra byte detects a file that is too long. Not from Node's pool: a cached answer would keep the pool's other bytes
        // alive.
        const bytes = Buffer.allocUnsafeSlow(sizeBytes + 1);
        const length = readSync(file, bytes, 0, bytes.length, 0);
        if (length !== sizeBytes) throw new Error(`${length} bytes instead of ${sizeBytes} in ${sha256}`);
        return bytes.subarray(0, sizeBytes);
      } finally {
        closeSync(file);
      }
    },
    async *list() {
      for (const first of await namesIn(root, /^[0-9a-f]{2}$/)) {
        const names = await namesIn(path.join(root, first), /^([0-9a-f]{2}|[0-9a-f]{64})$/);
        const old = names.filter((name) => name.length === 2);
        const found = new Set(names.filter((name) => name.length > 2));
        for (const second of old) {
          for (const sha256 of await namesIn(path.join(root, first, second), /^[0-9a-f]{64}$/))
            found.add(sha256);
        }
        for (const sha256 of [...found].sort()) {
          const blob = await statBlob(root, sha256);
          if (blob !== undefined) yield blob;
        }
      }
    },
  };
}

async function openFile(root: string, sha256: string): Promise<FileHandle> {
  return (await unlessMissing(open(pathOfBlob(root, sha256), 'r'))) ?? open(oldPathOfBlob(root, sha256), 'r');
}

function openFileSync(root: string, sha256: string): number {
  try {
    return openSync(pathOfBlob(root, sha256), 'r');
  } catch (error) {
    if (!isMissing(error)) throw error;
    return openSync(oldPathOfBlob(root, sha256), 'r');
  }
}

async function statBlob(root: string, sha256: string): Promise<StoredBlob | undefined> {
  const found =
    (await unlessMissing(stat(pathOfBlob(root, sha256)))) ??
    (await unlessMissing(stat(oldPathOfBlob(root, sha256))));
  return found && { sha256, sizeBytes: found.size, written: found.mtime };
}

async function namesIn(folder: string, form: RegExp): Promise<string[]> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  return names.filter((name) => form.test(name)).sort();
}

async function unlessMissing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

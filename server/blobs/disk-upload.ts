import { randomUUID } from 'node:crypto';
import { closeSync, open as openAtOnce, openSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createHashes, type Digest } from '../../formats/digest.ts';
import { FeedError } from '../errors.ts';
import { syncOpenFile } from './disk-sync.ts';

/** An upload up to this size stays in memory until it is accepted. */
const maxInMemoryBytes = 256 * 1024;

/** A completely received upload. */
export type UploadedFile = {
  readonly path: string;
  readonly digest: Digest;
  /** The bytes of a small upload, which becomes a file only through `write`. */
  readonly bytes?: Buffer;
  /** Makes sure that the file exists. */
  write(): Promise<void>;
  /** Resolves when the bytes are on disk (fsync) and the file is closed. */
  durable(): Promise<void>;
};

/**
 * Reads the stream to its end and hashes it on the way. When this returns, small uploads are in memory; large ones are written
 * but still being fsynced, which their readers need not wait for.
 * @throws FeedError PACKAGE_TOO_LARGE; the errors of the source and of the file system, with no file left
 */
export async function receiveFile(tmp: string, source: Readable, maxBytes: number): Promise<UploadedFile> {
  const hashes = createHashes();
  const upload = createWriter(path.join(tmp, randomUUID()));
  const head = createHead();
  let seenBytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      seenBytes += bytes.length;
      if (seenBytes > maxBytes) throw new FeedError('PACKAGE_TOO_LARGE', { maxBytes });
      hashes.update(bytes);
      if (seenBytes <= maxInMemoryBytes) head.add(bytes);
      // Writes everything kept so far in one piece, then each chunk as it comes.
      else await upload.write(head.isEmpty() ? bytes : Buffer.concat([head.take(), bytes]));
    }
    const digest = hashes.digest();
    if (seenBytes <= maxInMemoryBytes) return keepSmall(upload.path, digest, head.take());
    await upload.written();
    const durable = markHandled(upload.sync());
    return {
      path: upload.path,
      digest,
      write: async () => undefined,
      durable: () => durable,
    };
  } catch (error) {
    await upload.remove();
    throw error;
  }
}

/** In one buffer: 250,000 chunks of one byte, which are quickly sent, would take 75 MB if kept separately. */
function createHead() {
  let kept: Buffer = Buffer.alloc(0);
  let length = 0;
  return {
    add(bytes: Buffer): void {
      const needed = length + bytes.length;
      if (needed > kept.length)
        kept = Buffer.concat([kept.subarray(0, length)], Math.max(needed, 2 * length));
      length += bytes.copy(kept, length);
    },
    isEmpty: () => length === 0,
    take(): Buffer {
      const all = kept.subarray(0, length);
      [kept, length] = [Buffer.alloc(0), 0];
      return all;
    },
  };
}

function keepSmall(path: string, digest: Digest, bytes: Buffer): UploadedFile {
  return {
    path,
    digest,
    bytes,
    write: () => writeNew(path, bytes),
    durable: () => writeDurably(path, bytes),
  };
}

/** Creating a file may have to wait for the file system's journal, while a commit of somebody else is on its way to the disk. */
async function writeNew(path: string, bytes: Buffer): Promise<void> {
  const file = await openFile(path, 'wx');
  try {
    writeFileSync(file, bytes);
  } finally {
    closeSync(file);
  }
}

const openFile = promisify(openAtOnce);

/** Only the fsync goes to another thread: a round trip takes longer than writing a few bytes. */
async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = openSync(path, 'wx');
  try {
    writeFileSync(file, bytes);
    await syncOpenFile(file);
  } finally {
    closeSync(file);
  }
}

/** Only those who wait for it see its failure. */
function markHandled(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

/** One file, created by the first write. Each chunk is written while the next one is received. */
function createWriter(file: string) {
  let opening: Promise<FileHandle> | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  async function write(bytes: Buffer): Promise<void> {
    opening ??= open(file, 'wx');
    const handle = await opening;
    await writing;
    writing = handle.writeFile(bytes);
    // Handled by the next write or the end.
    writing.catch(() => undefined);
  }

  async function written(): Promise<void> {
    await writing;
  }

  async function sync(): Promise<void> {
    const handle = await opening;
    try {
      await handle?.sync();
    } finally {
      await handle?.close();
    }
  }

  async function remove(): Promise<void> {
    const handle = await opening?.catch(() => undefined);
    await writing.catch(() => undefined);
    await handle?.close();
    await rm(file, { force: true });
  }

  return { path: file, write, written, sync, remove };
}

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { createHashes, type Digest } from '../../formats/digest.ts';
import { type ByteSource, openFile, sourceOfBytes } from '../../formats/zip-file.ts';
import { FeedError } from '../errors.ts';
import { syncOpenFile } from './disk-sync.ts';

/** An upload up to this size stays in memory until it is known to be wanted. */
const maxInMemoryBytes = 256 * 1024;

/** A file of bytes that came in whole. */
export type UploadedFile = {
  readonly path: string;
  readonly digest: Digest;
  /** Of a small one, of which there is no file before it is asked for. */
  readonly bytes?: Buffer;
  /** There is a file. */
  write(): void;
  /** The bytes are on disk (fsync) and the file is closed. */
  durable(): Promise<void>;
  openSource(): Promise<ByteSource>;
};

/**
 * Takes the stream to its end, hashed on the way. Small ones are in memory when this returns, large ones are written and
 * being fsynced: whoever looks into them need not wait for that.
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
      // All at once what was kept so far, and from then on each as it comes.
      else await upload.write(head.isEmpty() ? bytes : Buffer.concat([head.take(), bytes]));
    }
    const digest = hashes.digest();
    if (seenBytes <= maxInMemoryBytes) return keepSmall(upload.path, digest, head.take());
    await upload.written();
    const durable = heardLater(upload.sync());
    return {
      path: upload.path,
      digest,
      write: () => undefined,
      durable: () => durable,
      openSource: () => openFile(upload.path),
    };
  } catch (error) {
    await upload.remove();
    throw error;
  }
}

/** In one piece: kept as they come, 250,000 chunks of one byte, which are sent in no time, would take 75 MB. */
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
    write: () => writeFileSync(path, bytes, { flag: 'wx' }),
    durable: () => writeDurably(path, bytes),
    openSource: async () => sourceOfBytes(bytes),
  };
}

/** Only the fsync goes to another thread: the way there and back takes longer than to write a little into a file. */
async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = openSync(path, 'wx');
  try {
    writeFileSync(file, bytes);
    await syncOpenFile(file);
  } finally {
    closeSync(file);
  }
}

/** Whoever waits for it learns of its failure; nobody has to. */
function heardLater(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

/** One file, made by the first write. A chunk is on its way to the file while the next one is being received. */
function createWriter(file: string) {
  let opening: Promise<FileHandle> | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  async function write(bytes: Buffer): Promise<void> {
    opening ??= open(file, 'wx');
    const handle = await opening;
    await writing;
    writing = handle.writeFile(bytes);
    // Heard by the next write or the end.
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

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';

/** What identifies bytes. Hex is lower case. */
export type Digest = {
  readonly sha256: string;
  readonly sha512: string;
  readonly sizeBytes: number;
};

/** A file on this machine, and what it contained when it was hashed. */
export type LocalFile = { readonly path: string; readonly digest: Digest };

/** Passes bytes through unchanged and hashes them on the way. */
export type Digester = Transform & {
  /** The digest of all bytes that passed. @throws before the stream has ended */
  digest(): Digest;
};

/** Put it between source and target, `pipeline(source, digester, target)`, then call `digester.digest()`. */
export function createDigester(): Digester {
  const hash = createHashes();
  let result: Digest | undefined;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      callback(null, chunk);
    },
    flush(callback) {
      result = hash.digest();
      callback();
    },
  });
  return Object.assign(stream, {
    digest() {
      if (result === undefined) throw new Error('The digest is known only once the stream has ended.');
      return result;
    },
  });
}

const chunkBytes = 256 * 1024;

export async function digestFile(path: string): Promise<Digest> {
  const hash = createHashes();
  for await (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest();
}

/**
 * Reads a file from beginning to end. All chunks share one buffer, so each must be used before the next is requested: a stream
 * allocates a new buffer for each, and tens of megabytes of them wait for the garbage collector.
 */
export function readChunks(path: string): AsyncGenerator<Buffer> {
  return readRange(path, 0, Number.POSITIVE_INFINITY);
}

/** The same for a part of the file: `bytes` of it, or up to its end, where that comes before. */
export async function* readRange(path: string, start: number, bytes: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const file = await open(path);
  try {
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, bytes - done), start + done);
      if (bytesRead === 0) return;
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

export function digestBytes(bytes: Uint8Array): Digest {
  const hash = createHashes();
  hash.update(bytes);
  return hash.digest();
}

/** Hashes bytes that arrive in pieces. Call `digest` once, at the end. */
export function createHashes(): { update(chunk: Uint8Array): void; digest(): Digest } {
  const sha256 = createHash('sha256');
  const sha512 = createHash('sha512');
  let sizeBytes = 0;
  return {
    update(chunk) {
      sha256.update(chunk);
      sha512.update(chunk);
      sizeBytes += chunk.length;
    },
    digest: () => ({ sha256: sha256.digest('hex'), sha512: sha512.digest('hex'), sizeBytes }),
  };
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What identifies bytes. Hex is lower case. */
export type Digest = {
  readonly sha256: string;
  readonly sha512: string;
  readonly sizeBytes: number;
};

/** Bytes pass through unchanged and are hashed on the way. */
export type Digester = Transform & {
  /** Of all bytes that passed. @throws before the stream has ended */
  digest(): Digest;
};

/** Put it between source and target: `pipeline(source, digester, target)`, then ask `digester.digest()`. */
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

export async function digestFile(path: string): Promise<Digest> {
  const hash = createHashes();
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      callback();
    },
  });
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), sink);
  return hash.digest();
}

export function digestBytes(bytes: Uint8Array): Digest {
  const hash = createHashes();
  hash.update(bytes);
  return hash.digest();
}

/** For bytes that come in pieces. Ask for `digest` once, at the end. */
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

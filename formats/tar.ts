import { createHash } from 'node:crypto';
import { Header } from 'tar';

/** A file in a tar. `bytes` yields exactly `sizeBytes`. */
export type TarFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly bytes: AsyncIterable<Uint8Array>;
};

/** Why a tar is invalid; nothing after the fault was read. */
export class TarError extends Error {}

const blockBytes = 512;

/** Writes plain files without an owner, as `tar tvf` shows them anywhere. */
export async function* writeTar(
  files: AsyncIterable<TarFile> | Iterable<TarFile>,
  mtime: Date,
): AsyncGenerator<Uint8Array> {
  for await (const { path, sizeBytes, bytes } of files) {
    yield makeHeader(path, sizeBytes, mtime);
    let written = 0;
    for await (const chunk of bytes) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== sizeBytes) throw new TarError(`${path} has ${written} bytes, ${sizeBytes} were expected`);
    if (sizeBytes % blockBytes !== 0) yield Buffer.alloc(blockBytes - (sizeBytes % blockBytes));
  }
  yield Buffer.alloc(2 * blockBytes);
}

function makeHeader(path: string, sizeBytes: number, mtime: Date): Buffer {
  const header = new Header({ path, mode: 0o600, size: sizeBytes, mtime, type: 'File', uid: 0, gid: 0 });
  header.encode();
  // Anything longer needs an extension of tar, which readTar does not accept.
  if (header.block === undefined || new Header(header.block).path !== path) {
    throw new TarError(`no header can be made for ${path}`);
  }
  return header.block;
}

/**
 * Reads the files of a tar one by one; read the bytes of each before the next. Links, folders, devices and extensions of tar are
 * refused: `writeTar` makes none, so they are an attack.
 * @param exactly accepts only the very bytes that `writeTar` makes of these files with this `mtime`, so that nothing can be
 *   hidden in the tar
 * @throws TarError
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  exactly?: { readonly mtime: Date },
): AsyncGenerator<TarFile> {
  const reader = createReader(source);
  const requireExact = (isExact: () => boolean): void => {
    if (exactly !== undefined && !isExact())
      throw new TarError('it is damaged, or was made by another program');
  };
  for (;;) {
    const block = await reader.take(blockBytes, 'a header');
    if (isZero(block)) {
      if (exactly === undefined) return;
      const end = await reader.take(blockBytes, 'its end');
      const isAtEnd = await reader.isAtEnd();
      return requireExact(() => isZero(end) && isAtEnd);
    }
    const header = readHeader(block);
    const { path, size } = header;
    if (
      !header.cksumValid ||
      path === undefined ||
      size === undefined ||
      !Number.isSafeInteger(size) ||
      size < 0
    ) {
      throw new TarError('it is no tar file, or is damaged');
    }
    if (header.type !== 'File' && header.type !== 'OldFile') {
      throw new TarError(`${JSON.stringify(path)} is a ${header.type}, only plain files are taken`);
    }
    requireExact(() => block.equals(makeHeader(path, size, exactly?.mtime ?? new Date(0))));
    let left = size;
    async function* body(): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const chunk = await reader.next(left);
        left -= chunk.length;
        yield chunk;
      }
    }
    yield { path, sizeBytes: size, bytes: body() };
    if (left > 0) throw new TarError(`${path} was not read to its end`);
    const padding = (blockBytes - (size % blockBytes)) % blockBytes;
    if (padding > 0) {
      const filled = await reader.take(padding, 'padding');
      requireExact(() => isZero(filled));
    }
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The library throws plain errors for invalid numbers. */
function readHeader(block: Buffer): Header {
  try {
    return new Header(block);
  } catch (error) {
    throw new TarError('it is no tar file, or is damaged', { cause: error });
  }
}

function createReader(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = Buffer.alloc(0);

  /** The next bytes, at most `maxBytes`. */
  async function next(maxBytes: number): Promise<Uint8Array> {
    while (rest.length === 0) {
      const { value, done } = await iterator.next();
      if (done === true) throw new TarError('it ends early');
      rest = value;
    }
    const chunk = rest.subarray(0, maxBytes);
    rest = rest.subarray(chunk.length);
    return chunk;
  }

  async function take(bytes: number, what: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let left = bytes;
    while (left > 0) {
      const chunk = await next(left).catch((error: unknown) => {
        throw error instanceof TarError ? new TarError(`it ends early, where ${what} should be`) : error;
      });
      chunks.push(chunk);
      left -= chunk.length;
    }
    return Buffer.concat(chunks);
  }

  async function isAtEnd(): Promise<boolean> {
    while (rest.length === 0) {
      const { value, done } = await iterator.next();
      if (done === true) return true;
      rest = value;
    }
    return false;
  }

  return { next, take, isAtEnd };
}

/** Passes bytes on, and reports their SHA-256 and number at the end. */
export async function* hashing(
  bytes: AsyncIterable<Uint8Array>,
  onEnd: (sha256: string, sizeBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    hash.update(chunk);
    sizeBytes += chunk.length;
    yield chunk;
  }
  onEnd(hash.digest('hex'), sizeBytes);
}

import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { FormatError, isProgramFault, visible } from './format-error.ts';

export type OpenZip = {
  readonly zip: ZipFile;
  /** @throws FormatError ZIP_UNREADABLE beyond the end of the file */
  readAt(position: number, length: number): Promise<Buffer>;
  /** Waits for reads in progress. */
  close(): Promise<void>;
};

/** Bytes that can be read at any position: a file, or a stored blob. */
export type ByteSource = {
  readonly sizeBytes: number;
  /** Fills the target from this position on; fewer bytes only at the end. */
  read(target: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
};

/** @throws FormatError ZIP_UNREADABLE; errors of the file system unchanged */
export async function openZip(place: string | ByteSource): Promise<OpenZip> {
  const source = typeof place === 'string' ? await openFile(place) : place;
  try {
    // zip-name.ts checks names, backslashes included; without strictFileNames yauzl would turn those into slashes.
    const options = { autoClose: false, lazyEntries: true, strictFileNames: true };
    const reader = new BoundedReader(source);
    const zip = await fromRandomAccessReaderPromise(reader, source.sizeBytes, options);
    return {
      zip,
      readAt: (position, length) => readAt(reader, position, length),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw asFormatError(error);
  }
}

/** Bytes that are already in memory. */
export function sourceOfBytes(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (target, position) => bytes.copy(target, 0, position),
    close: async () => undefined,
  };
}

/** @throws the errors of the file system unchanged */
export async function openFile(path: string): Promise<ByteSource> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return {
      sizeBytes: size,
      read: async (target, position) => (await file.read(target, 0, target.length, position)).bytesRead,
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Errors of yauzl and zlib about a broken zip become a FormatError; file system errors and bugs stay what they are. */
export function asFormatError(error: unknown): unknown {
  if (error instanceof FormatError || !(error instanceof Error) || isProgramFault(error)) return error;
  const isFileSystemError = 'syscall' in error;
  return isFileSystemError
    ? error
    : new FormatError('ZIP_UNREADABLE', { problem: visible(error.message).replace(/\.$/, '') }, error);
}

function readAt(reader: BoundedReader, position: number, length: number): Promise<Buffer> {
  const target = Buffer.alloc(length);
  return new Promise((resolve, reject) => {
    reader.read(target, 0, length, position, (error) =>
      error ? reject(asFormatError(error)) : resolve(target),
    );
  });
}

const chunkBytes = 256 * 1024;

/**
 * How yauzl reads the file. Its own reader passes offsets from the zip to fs.read, which throws out of a callback for offsets
 * beyond 2^53 and so ends the process. This one reads nothing beyond the end, on every system.
 */
class BoundedReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.#readInto(target.subarray(offset, offset + length), position).then(
      (bytesRead) => callback(null, bytesRead),
      (error: Error) => callback(error),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#chunks(start, end), { objectMode: false });
  }

  /** Not the FileHandle's own stream: destroying that would close the file for the other readers. */
  async *#chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, end - at));
      const bytesRead = await this.#readInto(chunk, at);
      if (bytesRead === 0) throw new Error('a part of it lies beyond its end');
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  }

  async #readInto(target: Buffer, position: number): Promise<number> {
    return position >= this.#source.sizeBytes ? 0 : this.#source.read(target, position);
  }
}

import { type Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, inflateRawSync } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { FormatError, fail, quoted } from './format-error.ts';
import { asFormatError, type OpenZip } from './zip-file.ts';

/** Up to this size an entry is unpacked in one piece: for small files a stream costs more than the content. */
const maxAtOnceBytes = 64 * 1024;

/** Reads one whole file. @throws FormatError ZIP_* when it does not match the directory */
export async function readContent(open: OpenZip, entry: Entry): Promise<Buffer> {
  return isSmall(entry) ? unpackAtOnce(open, entry) : buffer(await streamContent(open.zip, entry));
}

/** Reads a file to its end. @throws FormatError ZIP_* when it does not match the directory */
export async function checkContent(open: OpenZip, entry: Entry): Promise<void> {
  if (isSmall(entry)) await unpackAtOnce(open, entry);
  else for await (const _chunk of await streamContent(open.zip, entry));
}

/** yauzl checks the size, this function the checksum. The stream ends with a FormatError ZIP_* when either is wrong. */
export async function streamContent(zip: ZipFile, entry: Entry): Promise<Readable> {
  const source = await zip.openReadStreamPromise(entry).catch((error: unknown) => {
    throw asFormatError(error);
  });
  let crc = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      crc = crc32(chunk, crc);
      callback(null, chunk);
    },
    flush(callback) {
      callback(crc === entry.crc32 ? null : checksumError(entry, crc));
    },
    destroy(error, callback) {
      source.destroy();
      callback(error);
    },
  });
  source.on('error', (error) => checked.destroy(asFormatError(error) as Error));
  return source.pipe(checked);
}

function isSmall({ compressedSize, uncompressedSize }: Entry): boolean {
  return Math.max(compressedSize, uncompressedSize) <= maxAtOnceBytes;
}

async function unpackAtOnce({ zip, readAt }: OpenZip, entry: Entry): Promise<Buffer> {
  const header = await zip.readLocalFileHeaderPromise(entry, { minimal: true }).catch((error: unknown) => {
    throw asFormatError(error);
  });
  const packed = await readAt(header.fileDataStart, entry.compressedSize);
  const content = entry.compressionMethod === 0 ? packed : inflate(packed, entry);
  if (content.length !== entry.uncompressedSize) failBySize(entry);
  const crc = crc32(content);
  if (crc !== entry.crc32) throw checksumError(entry, crc);
  return content;
}

function inflate(packed: Buffer, entry: Entry): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: entry.uncompressedSize + 1 });
  } catch (error) {
    // zlib throws a RangeError for too much output, which elsewhere would be a bug.
    if (error instanceof RangeError) return failBySize(entry, error);
    throw asFormatError(error);
  }
}

function failBySize(entry: Entry, cause?: unknown): never {
  const problem = `entry ${quoted(entry.fileName)} does not unpack to the ${entry.uncompressedSize} bytes that the directory says`;
  fail('ZIP_UNREADABLE', { problem }, cause);
}

function checksumError(entry: Entry, found: number): FormatError {
  const hex = (crc: number) => crc.toString(16).padStart(8, '0');
  const details = { name: quoted(entry.fileName), expected: hex(entry.crc32), found: hex(found) };
  return new FormatError('ZIP_CHECKSUM', details);
}

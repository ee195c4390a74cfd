import { type Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { FormatError, fail, quoted } from './format-error.ts';
import { type Nuspec, readNuspec } from './nuspec.ts';
import { isFolder, readDirectory, type ZipLimits } from './zip-directory.ts';
import { asFormatError, type ByteSource, openZip } from './zip-file.ts';

export type NupkgLimits = ZipLimits;

export type NupkgEntry = {
  readonly name: string;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly crc32: number;
};

/** An open package. Nothing of it is ever unpacked to disk. */
export type Nupkg = {
  readonly nuspec: Nuspec;
  readonly nuspecText: string;
  /** Its files in the order of the zip's directory; folders are not among them. */
  readonly entries: readonly NupkgEntry[];
  /** One whole file; the name is exact. @throws FormatError ZIP_*, also when it has more than `maxBytes` */
  readEntry(name: string, maxBytes: number): Promise<Buffer>;
  /** The stream ends with a FormatError ZIP_* when the content is not what the directory says. */
  openEntry(name: string): Promise<Readable>;
  close(): Promise<void>;
};

const mebibyte = 1024 * 1024;
const defaultLimits: NupkgLimits = {
  maxEntries: 10_000,
  maxEntryBytes: 4096 * mebibyte,
  maxTotalBytes: 8192 * mebibyte,
  maxRatio: 200,
};

/**
 * Opens an untrusted package: its directory is checked as a whole and its nuspec is read; the other files are not looked
 * into (`verifyContent` does that). Close it in `finally`.
 * @throws FormatError ZIP_*, NUPKG_*, XML_*, NUSPEC_*; the errors of the file system as they are
 */
export async function openNupkg(path: string, limits: Partial<NupkgLimits> = {}): Promise<Nupkg> {
  const opened = await openZip(path);
  const { zip, close } = opened;
  try {
    const all = await readDirectory(opened, { ...defaultLimits, ...limits });
    const files = all.filter((entry) => !isFolder(entry));
    const find = (name: string) =>
      files.find((entry) => entry.fileName === name) ?? fail('ZIP_ENTRY_MISSING', { name: quoted(name) });
    const nuspecBytes = await readWhole(zip, findNuspec(files), mebibyte);
    return {
      nuspec: await readNuspec(nuspecBytes),
      nuspecText: new TextDecoder().decode(nuspecBytes),
      entries: files.map(toNupkgEntry),
      readEntry: async (name, maxBytes) => readWhole(zip, find(name), maxBytes),
      openEntry: async (name) => openChecked(zip, find(name)),
      close,
    };
  } catch (error) {
    await close();
    throw asFormatError(error);
  }
}

/** Reads every file to its end. @throws FormatError ZIP_* at the first that is damaged */
export async function verifyContent(nupkg: Nupkg): Promise<void> {
  for (const { name } of nupkg.entries) {
    const stream = await nupkg.openEntry(name);
    for await (const _chunk of stream);
  }
}

/**
 * The nuspec of a package that was checked when it came in, byte for byte. The source is closed.
 * @throws FormatError ZIP_*, NUPKG_NO_NUSPEC; the errors of the source as they are
 */
export async function readNuspecBytes(source: ByteSource): Promise<Buffer> {
  const { zip, close } = await openZip(source);
  try {
    for await (const entry of zip.eachEntry()) {
      if (isNuspec(entry)) return await readWhole(zip, entry, mebibyte);
    }
    return fail('NUPKG_NO_NUSPEC');
  } finally {
    await close();
  }
}

/** At the root and nowhere else; NuGet takes any name that ends so. */
function isNuspec({ fileName }: Entry): boolean {
  return /^[^/]+\.nuspec$/i.test(fileName);
}

function findNuspec(files: readonly Entry[]): Entry {
  const found = files.filter(isNuspec);
  const [nuspec] = found;
  if (nuspec === undefined) return fail('NUPKG_NO_NUSPEC');
  if (found.length > 1) {
    const names = found.slice(0, 3).map(({ fileName }) => quoted(fileName));
    fail('NUPKG_MANY_NUSPECS', { count: found.length, names: names.join(', ') });
  }
  return nuspec;
}

async function readWhole(zip: ZipFile, entry: Entry, maxBytes: number): Promise<Buffer> {
  const bytes = entry.uncompressedSize;
  if (bytes > maxBytes) fail('ZIP_ENTRY_TOO_LARGE', { name: quoted(entry.fileName), bytes, maxBytes });
  return buffer(await openChecked(zip, entry));
}

/** yauzl sees to the size, this to the checksum. */
async function openChecked(zip: ZipFile, entry: Entry): Promise<Readable> {
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

function checksumError(entry: Entry, found: number): FormatError {
  const hex = (crc: number) => crc.toString(16).padStart(8, '0');
  const details = { name: quoted(entry.fileName), expected: hex(entry.crc32), found: hex(found) };
  return new FormatError('ZIP_CHECKSUM', details);
}

function toNupkgEntry(entry: Entry): NupkgEntry {
  return {
    name: entry.fileName,
    compressedBytes: entry.compressedSize,
    bytes: entry.uncompressedSize,
    crc32: entry.crc32,
  };
}

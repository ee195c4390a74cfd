import type { Readable } from 'node:stream';
import type { Entry } from 'yauzl';
import { fail, quoted } from './format-error.ts';
import { type Nuspec, readNuspec } from './nuspec.ts';
import type { XmlLimits } from './xml.ts';
import { checkContent, readContent, streamContent } from './zip-content.ts';
import { isFolder, readDirectory, type ZipLimits, zipLimits } from './zip-directory.ts';
import { asFormatError, type ByteSource, type OpenZip, openZip } from './zip-file.ts';

export type NupkgLimits = ZipLimits & {
  /** Unset: those of every nuspec. */
  readonly nuspec?: XmlLimits;
};

export type NupkgEntry = {
  readonly name: string;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly crc32: number;
};

/** An open package. Nothing is ever unpacked to disk. */
export type Nupkg = {
  readonly nuspec: Nuspec;
  readonly nuspecText: string;
  /** Its files in the order of the zip's directory, without folders. */
  readonly entries: readonly NupkgEntry[];
  /** Reads one whole file; the name must match exactly. @throws FormatError ZIP_*, also when it has more than `maxBytes` */
  readEntry(name: string, maxBytes: number): Promise<Buffer>;
  /** The stream ends with a FormatError ZIP_* when the content does not match the directory. */
  openEntry(name: string): Promise<Readable>;
  /** Reads one whole file without keeping it. @throws FormatError ZIP_* when it is damaged */
  checkEntry(name: string): Promise<void>;
  close(): Promise<void>;
};

const maxNuspecBytes = 1024 * 1024;

/**
 * Opens an untrusted package: checks the zip's directory and reads the nuspec, but no other file (`verifyContent` does that).
 * Close it in `finally`.
 * @throws FormatError ZIP_*, NUPKG_*, XML_*, NUSPEC_*; errors of the file system unchanged
 */
export async function openNupkg(
  place: string | ByteSource,
  limits: Partial<NupkgLimits> = {},
): Promise<Nupkg> {
  const opened = await openZip(place);
  const { zip, close } = opened;
  try {
    const all = await readDirectory(opened, { ...zipLimits, ...limits });
    const files = all.filter((entry) => !isFolder(entry));
    const byName = new Map(files.map((entry) => [entry.fileName, entry]));
    const find = (name: string) => byName.get(name) ?? fail('ZIP_ENTRY_MISSING', { name: quoted(name) });
    const nuspecBytes = await readWhole(opened, findNuspec(files), maxNuspecBytes);
    return {
      nuspec: await readNuspec(nuspecBytes, limits.nuspec),
      nuspecText: new TextDecoder().decode(nuspecBytes),
      entries: files.map(toNupkgEntry),
      readEntry: async (name, maxBytes) => readWhole(opened, find(name), maxBytes),
      openEntry: async (name) => streamContent(zip, find(name)),
      checkEntry: async (name) => checkContent(opened, find(name)),
      close,
    };
  } catch (error) {
    await close();
    throw asFormatError(error);
  }
}

/** Opens a package, reads from it, and closes it. Same errors. */
export async function withNupkg<T>(
  place: string | ByteSource,
  read: (nupkg: Nupkg) => Promise<T> | T,
): Promise<T> {
  const nupkg = await openNupkg(place);
  try {
    return await read(nupkg);
  } finally {
    await nupkg.close();
  }
}

/** Reads every file to its end. @throws FormatError ZIP_* at the first damaged one */
export async function verifyContent(nupkg: Nupkg): Promise<void> {
  for (const { name } of nupkg.entries) await nupkg.checkEntry(name);
}

/**
 * The nuspec of a package that was checked when it was published, byte for byte. Closes the source.
 * @throws FormatError ZIP_*, NUPKG_NO_NUSPEC; errors of the source unchanged
 */
export async function readNuspecBytes(source: ByteSource): Promise<Buffer> {
  const opened = await openZip(source);
  try {
    for await (const entry of opened.zip.eachEntry()) {
      if (isNuspec(entry)) return await readWhole(opened, entry, maxNuspecBytes);
    }
    return fail('NUPKG_NO_NUSPEC');
  } finally {
    await opened.close();
  }
}

/**
 * Reads one file of a package that was checked when it was published; `choose` picks its name, or none. Reads nothing else.
 * Closes the source.
 * @throws FormatError ZIP_*, also when the file has more than `maxBytes`; errors of the source unchanged
 */
export async function readFileBytes(
  source: ByteSource,
  choose: (names: readonly string[]) => string | undefined,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const opened = await openZip(source);
  try {
    const byName = new Map<string, Entry>();
    for await (const entry of opened.zip.eachEntry()) byName.set(entry.fileName, entry);
    const entry = byName.get(choose([...byName.keys()]) ?? '');
    return entry && (await readWhole(opened, entry, maxBytes));
  } finally {
    await opened.close();
  }
}

/** Only at the root; NuGet accepts any name with this ending. */
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

async function readWhole(opened: OpenZip, entry: Entry, maxBytes: number): Promise<Buffer> {
  const bytes = entry.uncompressedSize;
  if (bytes > maxBytes) fail('ZIP_ENTRY_TOO_LARGE', { name: quoted(entry.fileName), bytes, maxBytes });
  return readContent(opened, entry);
}

function toNupkgEntry(entry: Entry): NupkgEntry {
  return {
    name: entry.fileName,
    compressedBytes: entry.compressedSize,
    bytes: entry.uncompressedSize,
    crc32: entry.crc32,
  };
}

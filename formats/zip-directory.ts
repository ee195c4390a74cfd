import type { Entry, LocalFileHeader, ZipFile } from 'yauzl';
import { fail, quoted } from './format-error.ts';
import type { OpenZip } from './zip-file.ts';
import { findNameProblem, nameKey } from './zip-name.ts';

export type ZipLimits = {
  readonly maxEntries: number;
  readonly maxEntryBytes: number;
  /** The unpacked size of all entries together. */
  readonly maxTotalBytes: number;
  /** Unpacked to packed size, for entries that unpack to more than a mebibyte. */
  readonly maxRatio: number;
  /** Whether names are percent-encoded, as in packages. Then a `%` that begins no escape is refused. */
  readonly hasEncodedNames: boolean;
};

/** Limits for every zip from outside: pushed, imported, or downloaded from upstream. */
export const zipLimits: ZipLimits = {
  maxEntries: 10_000,
  maxEntryBytes: 4 * 1024 ** 3,
  maxTotalBytes: 8 * 1024 ** 3,
  maxRatio: 200,
  hasEncodedNames: true,
};

/**
 * Reads the central directory of an untrusted zip and checks every entry against the limits, the other entries and its own local
 * header, before unpacking anything.
 * @throws FormatError ZIP_*
 */
export async function readDirectory(open: OpenZip, limits: ZipLimits): Promise<Entry[]> {
  const { zip } = open;
  const { maxEntries } = limits;
  if (zip.entryCount > maxEntries) fail('ZIP_TOO_MANY', { count: zip.entryCount, maxEntries });
  const directoryStart = cursor(zip);
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  await checkEnd(open, entries.length);
  for (const entry of entries) checkEntry(entry, limits);
  checkTotals(entries, limits);
  checkNames(entries);
  await checkPlaces(zip, entries, directoryStart);
  return entries;
}

export function isFolder(entry: Entry): boolean {
  return entry.fileName.endsWith('/');
}

/** Small files of one repeated byte reach any ratio and do no harm. */
const ratioFreeBytes = 1024 * 1024;

/** The position at which yauzl reads the directory next; its types call this number a boolean. */
function cursor(zip: ZipFile): number {
  return Number(zip.readEntryCursor);
}

/** A reader that continues until the entries end would see more of them than the announced count. */
async function checkEnd({ zip, readAt }: OpenZip, count: number): Promise<void> {
  const signature = (await readAt(cursor(zip), 4)).readUInt32LE();
  const isEnd = signature === 0x06054b50 || signature === 0x06064b50;
  if (!isEnd) fail('ZIP_HIDDEN_ENTRIES', { count });
}

function checkEntry(entry: Entry, { maxEntryBytes, maxRatio, hasEncodedNames }: ZipLimits): void {
  const name = quoted(entry.fileName);
  const bytes = entry.uncompressedSize;
  const problem = findNameProblem(entry.fileName, { isEncoded: hasEncodedNames });
  if (problem !== undefined) fail('ZIP_NAME', { name, problem });
  const kind = findOddKind(entry);
  if (kind !== undefined) fail('ZIP_ENTRY_KIND', { name, kind });
  if (bytes > maxEntryBytes) fail('ZIP_ENTRY_TOO_LARGE', { name, bytes, maxBytes: maxEntryBytes });
  if (isBomb(bytes, entry.compressedSize, maxRatio)) fail('ZIP_RATIO', { name, bytes, maxRatio });
}

function findOddKind(entry: Entry): string | undefined {
  const unixType = (entry.externalFileAttributes >>> 16) & 0xf000;
  const isMadeOnUnix = entry.versionMadeBy >>> 8 === 3;
  if (entry.isEncrypted()) return 'encrypted';
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    return `compressed by method ${entry.compressionMethod}`;
  }
  if (isMadeOnUnix && ![0, 0x8000, 0x4000].includes(unixType)) return 'a link or a device';
  if (isFolder(entry) && entry.uncompressedSize > 0) return 'a folder with content';
  return undefined;
}

/** A bomb can be split into many small entries, so the totals have limits too. */
function checkTotals(entries: readonly Entry[], { maxTotalBytes, maxRatio }: ZipLimits): void {
  const bytes = sum(entries.map((entry) => entry.uncompressedSize));
  const packed = sum(entries.map((entry) => entry.compressedSize));
  if (bytes > maxTotalBytes) fail('ZIP_TOTAL_TOO_LARGE', { maxBytes: maxTotalBytes });
  if (isBomb(bytes, packed, maxRatio))
    fail('ZIP_RATIO', { name: 'of all entries together', bytes, maxRatio });
}

function isBomb(bytes: number, packedBytes: number, maxRatio: number): boolean {
  return bytes > ratioFreeBytes && bytes > packedBytes * maxRatio;
}

/** No two entries may be the same file on Windows, and no file may also be a folder. */
function checkNames(entries: readonly Entry[]): void {
  const seen = new Map<string, string>();
  for (const { fileName } of entries) {
    const first = seen.get(nameKey(fileName));
    if (first !== undefined) fail('ZIP_NAME_TWICE', { first: quoted(first), second: quoted(fileName) });
    seen.set(nameKey(fileName), fileName);
  }
  for (const { fileName } of entries) {
    const parts = nameKey(fileName).split('/');
    for (let length = 1; length < parts.length; length++) {
      const parent = seen.get(parts.slice(0, length).join('/'));
      if (parent !== undefined && !parent.endsWith('/')) {
        fail('ZIP_NAME_TWICE', { first: quoted(parent), second: quoted(fileName) });
      }
    }
  }
}

/**
 * Entries must not overlap: overlapping ones make a small file unpack to petabytes. Local headers must agree with the directory:
 * otherwise readers that go through the file from its start see other content.
 */
async function checkPlaces(zip: ZipFile, entries: readonly Entry[], directoryStart: number): Promise<void> {
  const sorted = entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let previous: { name: string; end: number } | undefined;
  for (const entry of sorted) {
    const name = quoted(entry.fileName);
    if (previous !== undefined && entry.relativeOffsetOfLocalHeader < previous.end) {
      fail('ZIP_OVERLAP', { first: previous.name, second: name });
    }
    const header = await zip.readLocalFileHeaderPromise(entry);
    const differing = findDifference(entry, header);
    if (differing !== undefined) fail('ZIP_HEADERS_DIFFER', { name, what: differing });
    previous = { name, end: header.fileDataStart + entry.compressedSize };
  }
  if (previous !== undefined && previous.end > directoryStart) {
    fail('ZIP_OVERLAP', { first: previous.name, second: 'of the directory itself' });
  }
}

function findDifference(entry: Entry, local: LocalFileHeader): string | undefined {
  // Sizes and checksum may follow the content. The header then has zeros (flag bit 3) or, in zip64, all ones.
  const isDeferred = (local.generalPurposeBitFlag & 8) !== 0;
  const differs = (there: number, here: number) =>
    there !== here && !(isDeferred && there === 0) && there !== 0xffffffff;
  if (!local.fileName.equals(entry.fileNameRaw)) return 'name';
  if (local.compressionMethod !== entry.compressionMethod) return 'method';
  if (((local.generalPurposeBitFlag ^ entry.generalPurposeBitFlag) & 1) !== 0) return 'encryption';
  if (differs(local.crc32, entry.crc32)) return 'checksum';
  if (differs(local.compressedSize, entry.compressedSize)) return 'packed size';
  if (differs(local.uncompressedSize, entry.uncompressedSize)) return 'size';
  return undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

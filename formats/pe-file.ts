import type { FileHandle } from 'node:fs/promises';

export type PeFile = NonNullable<Awaited<ReturnType<typeof readPe>>>;
export type PeSection = ReturnType<typeof section>;

const maxHeaderOffset = 1 << 20;
const checksumInOptional = 64;
const libraryFlag = 0x2000;
const maxSections = 96; // what Windows itself loads

/**
 * The headers of a Windows program, as far as we judge by them. Read piecewise: an exe has 60 MB and comes from outside.
 * @returns undefined when the file is not a PE program (a page, a zip, another system's binary, a damaged header)
 */
export async function readPe(file: FileHandle) {
  const dos = await readAt(file, 0, 64);
  if (dos.length < 64 || dos.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const headerOffset = dos.readUInt32LE(0x3c);
  if (headerOffset > maxHeaderOffset) return undefined;

  const coff = await readAt(file, headerOffset, 24);
  if (coff.length < 24 || coff.toString('latin1', 0, 4) !== 'PE\0\0') return undefined;
  const sectionCount = coff.readUInt16LE(6);
  const optionalBytes = coff.readUInt16LE(20);
  if (sectionCount > maxSections) return undefined;

  const optional = await readAt(file, headerOffset + 24, optionalBytes);
  const imageBase = readImageBase(optional);
  if (optional.length < optionalBytes || imageBase === undefined) return undefined;

  const tableAt = headerOffset + 24 + optionalBytes;
  const table = await readAt(file, tableAt, sectionCount * 40);
  if (table.length < sectionCount * 40) return undefined;
  const sections = Array.from({ length: sectionCount }, (_, index) => section(table.subarray(index * 40)));
  return {
    machine: coff.readUInt16LE(4),
    /** A library has the same headers; nobody can run it by name. */
    isLibrary: (coff.readUInt16LE(22) & libraryFlag) !== 0,
    /** PE32+, as every program for amd64 and arm64 is. */
    is64bit: optional.readUInt16LE(0) === 0x20b,
    /** Where headers and sections end; a file that is shorter was cut off. */
    programEnd: Math.max(
      tableAt + table.length,
      ...sections.map(({ fileOffset, fileBytes }) => (fileBytes === 0 ? 0 : fileOffset + fileBytes)),
    ),
    imageBase,
    /** Where the header says the file's checksum and the place of its signatures: neither is covered by a signature. */
    checksumAt: headerOffset + 24 + checksumInOptional,
    signatures: readSignatures(optional, headerOffset + 24),
    sections,
  };
}

/** The attribute certificate table, the one directory that is named by its place in the file: the fifth, behind 96 bytes of a PE32 header and 112 of a PE32+ one; their count stands before them. */
function readSignatures(optional: Buffer, optionalAt: number) {
  const directories = optional.readUInt16LE(0) === 0x20b ? 112 : 96;
  const entry = directories + 4 * 8;
  if (optional.length < entry + 8 || optional.readUInt32LE(directories - 4) <= 4) return undefined;
  const [fileOffset, bytes] = [optional.readUInt32LE(entry), optional.readUInt32LE(entry + 4)];
  return { entryAt: optionalAt + entry, fileOffset, bytes };
}

/** Up to `bytes` from `offset`; shorter at the end of the file. */
export async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function readImageBase(optional: Buffer): bigint | undefined {
  if (optional.length < 32) return undefined;
  const magic = optional.readUInt16LE(0);
  if (magic === 0x20b) return optional.readBigUInt64LE(24);
  if (magic === 0x10b) return BigInt(optional.readUInt32LE(28));
  return undefined;
}

function section(row: Buffer) {
  return {
    /** Relative to the image base. */
    virtualAddress: row.readUInt32LE(12),
    fileBytes: row.readUInt32LE(16),
    fileOffset: row.readUInt32LE(20),
    characteristics: row.readUInt32LE(36),
  };
}

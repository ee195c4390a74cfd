import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Fault } from '../../errors/fault.ts';
import { type PeFile, readAt, readPe } from '../../formats/pe-file.ts';

/**
 * Where an exe keeps its signature (Microsoft's "Windows Authenticode Portable Executable Signature Format"):
 *
 *     headers with the checksum and the entry of the table, which no signature covers
 *     sections, and whatever lies behind them
 *     the table, at the very end: length 4 | revision 2 | type 2 | PKCS#7, filled up with zeros to 8 bytes
 */
export type SignedExe = {
  readonly pkcs7: Buffer;
  /** Hash of everything that the signature covers. */
  digest(algorithm: string): Promise<Buffer>;
};

const headBytes = 8;
const revision2 = 0x0200;
const pkcs7Type = 0x0002;
const maxTableBytes = 1 << 20;

/** @returns undefined when the exe is not signed (or not an exe). @throws Fault when the signature does not cover all of it */
export async function readSignedExe(path: string, file: FileHandle): Promise<SignedExe | undefined> {
  const pe = await readPe(file);
  const table = pe?.signatures;
  if (pe === undefined || table === undefined || (table.fileOffset === 0 && table.bytes === 0))
    return undefined;
  const { size } = await file.stat();
  const end = table.fileOffset + table.bytes;
  // bytes behind the table would be covered by nothing
  if (end !== size) refuse(`a table of signatures that ends at ${end} of ${size} bytes`);
  if (table.fileOffset < pe.programEnd) refuse('a table of signatures that lies within the program');
  if (table.bytes > maxTableBytes || table.bytes < headBytes)
    refuse(`a table of signatures of ${table.bytes} bytes`);

  const pkcs7 = readEntry(await readAt(file, table.fileOffset, table.bytes));
  return { pkcs7, digest: (algorithm) => hashCovered(path, pe, table, algorithm) };
}

function refuse(found: string): never {
  throw new Fault('one signature that covers the whole exe', found);
}

/** The one entry of the table, without what fills it up. Malware has been hidden there under valid signatures. */
function readEntry(table: Buffer): Buffer {
  const length = table.readUInt32LE(0);
  if (table.readUInt16LE(4) !== revision2 || table.readUInt16LE(6) !== pkcs7Type)
    refuse('an unknown kind of signature');
  if (length < headBytes || Math.ceil(length / 8) * 8 !== table.length)
    refuse('more than one entry in the table of signatures');
  const content = table.subarray(headBytes);
  const derBytes = lengthOfDer(content);
  if (derBytes === undefined || derBytes > content.length) return refuse('a signature that is cut off');
  const filling = content.subarray(derBytes);
  if (filling.length >= 8 || filling.some((byte) => byte !== 0)) refuse('other bytes behind the signature');
  return content.subarray(0, derBytes);
}

/** Of a SEQUENCE with its head, in the definite form that DER demands. */
function lengthOfDer(der: Buffer): number | undefined {
  if (der.length < 6 || der[0] !== 0x30) return undefined;
  const first = der[1] ?? 0;
  if (first < 0x80) return 2 + first;
  const count = first - 0x80;
  return count < 1 || count > 4 ? undefined : 2 + count + der.readUIntBE(2, count);
}

async function hashCovered(
  path: string,
  { checksumAt }: PeFile,
  { entryAt, fileOffset }: { readonly entryAt: number; readonly fileOffset: number },
  algorithm: string,
): Promise<Buffer> {
  const hash = createHash(algorithm);
  const spans = [
    [0, checksumAt],
    [checksumAt + 4, entryAt],
    [entryAt + 8, fileOffset],
  ] as const;
  for (const [start, end] of spans.filter(([start, end]) => start < end)) {
    for await (const chunk of createReadStream(path, { start, end: end - 1 })) hash.update(chunk as Buffer);
  }
  return hash.digest();
}

import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a zip, with every lie that a header can tell. */
export type RawEntry = {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  readonly isStored?: boolean;
  readonly flags?: number;
  readonly method?: number;
  readonly madeBy?: number;
  readonly externalAttributes?: number;
  readonly extra?: Buffer;
  /** What the central directory says instead of the truth. */
  readonly central?: Partial<Header>;
  /** What the local header says instead of the truth. */
  readonly local?: Partial<Header>;
  /** The bytes in the file, when they are not the packed content. */
  readonly packed?: Buffer;
  /** Where the directory says the local header is. */
  readonly offset?: number;
};

export type Header = {
  readonly name: string | Buffer;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly method: number;
  readonly flags: number;
};

export type RawZip = {
  readonly entries: readonly RawEntry[];
  /** What the end record says instead of the truth. */
  readonly end?: Partial<{ count: number; directoryBytes: number; directoryOffset: number; comment: Buffer }>;
  /** A zip64 end record and its locator before the end record. */
  readonly zip64?: Partial<{ count: bigint; directoryOffset: bigint; recordOffset: bigint }>;
};

/** The bytes of a zip, byte by byte, since no library writes the ones that are needed here. */
export function rawZip({ entries, end = {}, zip64 }: RawZip): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { local, packed, central } = encode(entry, offset);
    parts.push(local, packed);
    directory.push(central);
    offset += local.length + packed.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const tail =
    zip64 === undefined ? Buffer.alloc(0) : zip64End(zip64, entries.length, directoryBytes.length, offset);
  const comment = end.comment ?? Buffer.alloc(0);
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(end.count ?? entries.length, 8);
  record.writeUInt16LE(end.count ?? entries.length, 10);
  record.writeUInt32LE(end.directoryBytes ?? directoryBytes.length, 12);
  record.writeUInt32LE(end.directoryOffset ?? offset, 16);
  record.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directoryBytes, tail, record, comment]);
}

function encode(entry: RawEntry, offset: number): { local: Buffer; packed: Buffer; central: Buffer } {
  const content = Buffer.from(entry.content ?? '');
  const packed = entry.packed ?? (entry.isStored ? content : deflateRawSync(content));
  const truth: Header = {
    name: entry.name,
    crc: crc32(content),
    packedBytes: packed.length,
    bytes: content.length,
    method: entry.method ?? (entry.isStored ? 0 : 8),
    flags: entry.flags ?? 0x800,
  };
  const there = { ...truth, ...entry.local };
  const here = { ...truth, ...entry.central };
  const extra = entry.extra ?? Buffer.alloc(0);
  const localName = Buffer.from(there.name);
  const name = Buffer.from(here.name);

  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  writeCommon(local, 6, there);
  local.writeUInt16LE(localName.length, 26);

  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(entry.madeBy ?? 20, 4);
  central.writeUInt16LE(20, 6);
  writeCommon(central, 8, here);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  central.writeUInt32LE(entry.externalAttributes ?? 0, 38);
  central.writeUInt32LE(entry.offset ?? offset, 42);
  return { local: Buffer.concat([local, localName]), packed, central: Buffer.concat([central, name, extra]) };
}

/** Flags, method, time, date, checksum, sizes: alike in both headers. */
function writeCommon(target: Buffer, at: number, header: Header): void {
  target.writeUInt16LE(header.flags, at);
  target.writeUInt16LE(header.method, at + 2);
  target.writeUInt16LE(0x21, at + 6);
  target.writeUInt32LE(header.crc, at + 8);
  target.writeUInt32LE(header.packedBytes, at + 12);
  target.writeUInt32LE(header.bytes, at + 16);
}

function zip64End(
  lies: NonNullable<RawZip['zip64']>,
  count: number,
  directoryBytes: number,
  directoryOffset: number,
): Buffer {
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(lies.count ?? BigInt(count), 24);
  record.writeBigUInt64LE(lies.count ?? BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(directoryBytes), 40);
  record.writeBigUInt64LE(lies.directoryOffset ?? BigInt(directoryOffset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(lies.recordOffset ?? BigInt(directoryOffset + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator]);
}

/** The extra field in which a zip64 entry keeps its sizes and its place. */
export function zip64Extra(...values: readonly bigint[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(value, 4 + index * 8);
  return extra;
}

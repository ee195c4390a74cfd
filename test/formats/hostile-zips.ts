import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { nuspec, tool } from './packages.ts';
import { type RawEntry, type RawZip, rawZip, zip64Extra } from './raw-zip.ts';

/** A zip that nobody may unpack; `code` is how the FormatError begins that refuses it. */
type HostileZip = readonly [title: string, zip: RawZip, code: string];

const mebibyte = 1024 * 1024;
const zeros: RawEntry = { name: 'tools/zeros', content: Buffer.alloc(2 * mebibyte) };

const namesTwice: readonly (readonly [string, string, string])[] = [
  ['twice', 'tools/a.exe', 'tools/a.exe'],
  ['twice but for case', 'tools/a.exe', 'Tools/A.EXE'],
  ['twice but for encoding', 'tools/a b', 'tools/a%20b'],
  ['twice but for composition', 'tools/\u00e9', 'tools/e\u0301'],
  ['as file and as folder', 'tools', 'tools/a.exe'],
  ['as file and as explicit folder', 'tools/a', 'tools/A/'],
  ['as file and as folder deep down', 'a/B', 'A/b/c/d'],
];

const lyingEntries: readonly (readonly [string, Partial<RawEntry>, string])[] = [
  ['encrypted', { flags: 0x801, packed: Buffer.alloc(20) }, 'ZIP_ENTRY_KIND'],
  ['strongly encrypted', { flags: 0x841, packed: Buffer.alloc(20) }, 'ZIP_UNREADABLE'],
  ['compressed by LZMA', { method: 14 }, 'ZIP_ENTRY_KIND'],
  ['a symbolic link', { madeBy: 0x314, externalAttributes: 0xa1ff0000 }, 'ZIP_ENTRY_KIND'],
  ['a device', { madeBy: 0x314, externalAttributes: 0x21ff0000 }, 'ZIP_ENTRY_KIND'],
  ['a folder with content', { name: 'tools/x/' }, 'ZIP_ENTRY_KIND'],
  [
    'stored with two sizes',
    { isStored: true, central: { packedBytes: 999 }, local: { packedBytes: 999 } },
    'ZIP_UNREADABLE',
  ],
  ['damaged', { central: { crc: 1 }, local: { crc: 1 } }, 'ZIP_CHECKSUM'],
  ['damaged and stored', { isStored: true, packed: Buffer.alloc(1000, 'x') }, 'ZIP_CHECKSUM'],
  ['no deflate stream', { packed: Buffer.alloc(20, 0xff) }, 'ZIP_UNREADABLE'],
  ['cut short', { packed: deflateRawSync('MZ'.repeat(500)).subarray(0, 5) }, 'ZIP_UNREADABLE'],
  ['longer than it says', { central: { bytes: 10 }, local: { bytes: 10 } }, 'ZIP_UNREADABLE'],
  ['shorter than it says', { central: { bytes: 2000 }, local: { bytes: 2000 } }, 'ZIP_UNREADABLE'],
  ['named otherwise in its own header', { local: { name: 'tools/b.exe' } }, 'ZIP_HEADERS_DIFFER'],
  ['packed otherwise in its own header', { local: { method: 0 } }, 'ZIP_HEADERS_DIFFER'],
  ['encrypted in its own header', { local: { flags: 0x801 } }, 'ZIP_HEADERS_DIFFER'],
  ['of another checksum in its own header', { local: { crc: 7 } }, 'ZIP_HEADERS_DIFFER'],
  ['of another size in its own header', { local: { bytes: 7 } }, 'ZIP_HEADERS_DIFFER'],
  ['of another packed size in its own header', { local: { packedBytes: 7 } }, 'ZIP_HEADERS_DIFFER'],
  ['far beyond the file', { offset: 0x7fffffff }, 'ZIP_UNREADABLE'],
  ['placed at no header', { offset: 3 }, 'ZIP_'],
  [
    'in zip64 beyond all numbers',
    { central: { bytes: 0xffffffff }, extra: zip64Extra(2n ** 64n - 1n) },
    'ZIP_ENTRY_TOO_LARGE',
  ],
  ['in zip64 at no place', { offset: 0xffffffff, extra: zip64Extra(2n ** 63n) }, 'ZIP_'],
  ['in zip64 without its field', { central: { bytes: 0xffffffff } }, 'ZIP_'],
  ['with a broken extra field', { extra: Buffer.from([1, 0, 200, 0, 1]) }, 'ZIP_UNREADABLE'],
];

const lyingEnds: readonly (readonly [string, Partial<RawZip>, string])[] = [
  ['counts too few', { end: { count: 1 } }, 'ZIP_HIDDEN_ENTRIES'],
  ['counts too many', { end: { count: 3 } }, 'ZIP_UNREADABLE'],
  ['places the directory at the end', { end: { directoryOffset: 0xfffffff0 } }, 'ZIP_UNREADABLE'],
  ['places the directory at an entry', { end: { directoryOffset: 0 } }, 'ZIP_UNREADABLE'],
  ['counts 2^64 in zip64', { zip64: { count: 2n ** 64n - 1n } }, 'ZIP_TOO_MANY'],
  ['counts none in zip64', { zip64: { count: 0n } }, 'ZIP_HIDDEN_ENTRIES'],
  ['places the directory at 2^64', { zip64: { directoryOffset: 2n ** 64n - 1n } }, 'ZIP_UNREADABLE'],
  // yauzl's own reader of files ends the process over this one.
  ['places the zip64 record at 2^64', { zip64: { recordOffset: 2n ** 64n - 1n } }, 'ZIP_UNREADABLE'],
  ['places the zip64 record anywhere', { zip64: { recordOffset: 5n } }, 'ZIP_UNREADABLE'],
];

const names = [
  '../evil.exe',
  '/evil.exe',
  'C:/evil.exe',
  'tools\\evil.exe',
  'tools/%2e%2e/evil.exe',
  'tools/con.txt',
];

/** Each has a nuspec and `tools/a.exe`, so that it could be a package and an archive of upstream's alike. */
export const hostileZips: readonly HostileZip[] = [
  ...namesTwice.map(([how, first, second]): HostileZip => {
    const content = first.endsWith('/') ? '' : 'x';
    return [
      `a name ${how}`,
      { entries: [nuspec, tool, { name: first, content }, { name: second, content: '' }] },
      'ZIP_NAME_TWICE',
    ];
  }),
  ...names.map(
    (name): HostileZip => [
      `the name ${name}`,
      { entries: [nuspec, tool, { name, content: 'MZ' }] },
      // yauzl itself refuses some of them, in its own words.
      'ZIP_',
    ],
  ),
  ...lyingEntries.map(
    ([fault, lie, code]): HostileZip => [
      `an entry that is ${fault}`,
      { entries: [nuspec, { ...tool, ...lie }] },
      code,
    ],
  ),
  ...lyingEnds.map(
    ([lie, end, code]): HostileZip => [
      `an end record that ${lie}`,
      { entries: [nuspec, tool], ...end },
      code,
    ],
  ),
  ['a bomb', { entries: [nuspec, tool, zeros] }, 'ZIP_RATIO'],
  [
    'a bomb beside bytes that do not shrink',
    {
      entries: [nuspec, tool, zeros, { name: 'tools/ballast', content: randomBytes(20_000), isStored: true }],
    },
    'ZIP_RATIO',
  ],
  [
    'a bomb in many parts',
    {
      entries: [
        nuspec,
        tool,
        ...Array.from({ length: 8 }, (_, index) => ({
          name: `tools/${index}`,
          content: Buffer.alloc(mebibyte / 2),
        })),
      ],
    },
    'ZIP_RATIO',
  ],
  [
    'entries that share bytes',
    { entries: [nuspec, tool, { ...tool, offset: 0, name: 'a.nuspec2' }] },
    'ZIP_OVERLAP',
  ],
  ['an entry inside of another', entryInside(), 'ZIP_OVERLAP'],
  ['an entry that reaches into the directory', entryIntoDirectory(), 'ZIP_OVERLAP'],
];

function entryInside(): RawZip {
  const inner = rawZip({ entries: [{ name: 'b', content: 'x' }] });
  const nested: RawEntry = { name: 'outer', content: inner, isStored: true };
  const outerStart = lengthOfEntries([nuspec, tool]);
  const inside: RawEntry = { name: 'b', content: 'x', offset: outerStart + 30 + 'outer'.length };
  return { entries: [nuspec, tool, nested, inside] };
}

function entryIntoDirectory(): RawZip {
  const sizes = { packedBytes: 40, bytes: 40 };
  const reaching: RawEntry = { name: 'x', content: 'x', isStored: true, central: sizes, local: sizes };
  return { entries: [nuspec, tool, reaching] };
}

function lengthOfEntries(entries: readonly RawEntry[]): number {
  const directory = entries.reduce((sum, { name }) => sum + 46 + name.length, 0);
  return rawZip({ entries }).length - 22 - directory;
}

import { zipSync } from 'fflate';
import { makeBigExe } from './big-exe.ts';
import { noise, nuspecOf } from './packages.ts';

const megabyte = 1_000_000;

/** What makes the checks of a push long, each in its own way. */
export const bigPackages: readonly {
  readonly name: string;
  readonly make: (version: string) => Promise<Buffer>;
}[] = [
  { name: 'few large files', make: fewLargeFiles },
  { name: 'many small files', make: manySmallFiles },
  { name: 'all that is allowed', make: allThatIsAllowed },
];

/** 200 MB, a sixth of it unpacked from less. */
async function fewLargeFiles(version: string): Promise<Buffer> {
  const exe = await makeBigExe(60 * megabyte, version);
  return pack('few-large-files', version, {
    'tools/tool.exe': [exe, { level: 1 }],
    ...Object.fromEntries([1, 2, 3].map((n) => [`tools/${n}.bin`, noise(58 * megabyte, `${version} ${n}`)])),
  });
}

/** 200 MB. */
async function manySmallFiles(version: string): Promise<Buffer> {
  const files = Array.from({ length: 9_000 }, (_, n) => [`tools/${n}.bin`, noise(22_000, `${version} ${n}`)]);
  return pack('many-small-files', version, Object.fromEntries(files));
}

/** Half a megabyte that holds as many entries and elements as may be. */
async function allThatIsAllowed(version: string): Promise<Buffer> {
  const files = Array.from({ length: 9_990 }, (_, n) => [`tools/${n}.txt`, Buffer.from(String(n))]);
  return pack('all-that-is-allowed', version, Object.fromEntries(files), '<group/>'.repeat(9_900));
}

type Files = Parameters<typeof zipSync>[0];

function pack(id: string, version: string, files: Files, groups = ''): Buffer {
  const nuspec = nuspecOf({ id, version }).replace(
    '</metadata>',
    `<dependencies>${groups}</dependencies></metadata>`,
  );
  const zip = zipSync({ [`${id}.nuspec`]: Buffer.from(nuspec), ...files }, { level: 0 });
  return Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';

export type BenchPackage = { readonly id: string; readonly version: string; readonly path: string };

const versionsPerId = 20;
const nouns = [
  'linter',
  'debugger',
  'formatter',
  'compiler',
  'profiler',
  'tracer',
  'bundler',
  'releaser',
  'server',
  'proxy',
];

/** Small but real packages: 20 versions an id, words that a search can find, 4 KB of bytes that do not compress. */
export async function makePackages(workDir: string, count: number): Promise<BenchPackage[]> {
  const dir = join(workDir, 'packages');
  await mkdir(dir);
  const packages: BenchPackage[] = [];
  for (let n = 0; n < count; n++) {
    const number = Math.floor(n / versionsPerId);
    const id = `tool-${nouns[number % nouns.length]}-${number}`;
    const version = `1.${n % versionsPerId}.0`;
    const path = join(dir, `${id}.${version}.nupkg`);
    await writeFile(path, makeNupkg(id, version, n));
    packages.push({ id, version, path });
  }
  return packages;
}

function makeNupkg(id: string, version: string, seed: number): Buffer {
  const zip = new AdmZip();
  const add = (name: string, text: string | Buffer): void => void zip.addFile(name, Buffer.from(text));
  add(
    '_rels/.rels',
    `<?xml version="1.0" encoding="utf-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${id}.nuspec" Id="R0" /></Relationships>`,
  );
  add(
    '[Content_Types].xml',
    '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="nuspec" ContentType="application/octet" /><Default Extension="bin" ContentType="application/octet" /></Types>',
  );
  add(
    `${id}.nuspec`,
    `<?xml version="1.0" encoding="utf-8"?><package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd"><metadata><id>${id}</id><version>${version}</version><title>${id}</title><authors>Somebody</authors><projectUrl>https://example.org/${id}</projectUrl><summary>A ${id} for those who need one</summary><description>What ${id} does is described here in a sentence of ordinary length, so that an entry is as large as real ones are.</description><tags>go windows ${id} number${seed}</tags></metadata></package>`,
  );
  add('tools/data.bin', noise(4096, seed));
  return zip.toBuffer();
}

/** The same bytes for the same seed (xorshift), so that runs can be compared. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed + 1) * 2_654_435_761;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

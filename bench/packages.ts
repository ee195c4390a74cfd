import { zipSync } from 'fflate';

export type BenchPackage = { readonly id: string; readonly version: string };

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
const kinds = [
  'quick',
  'little',
  'modern',
  'secure',
  'static',
  'remote',
  'cloud',
  'native',
  'typed',
  'simple',
];

/**
 * The packages of a feed of this size: 20 versions per id. From 100,000 on there are at least 8,000 ids, the first of them with 2,000
 * versions, as on a big public feed.
 */
export function listPackages(count: number): BenchPackage[] {
  const isBig = count >= 100_000;
  const idCount = isBig ? Math.max(8_000, Math.floor(count / 21)) : Math.ceil(count / 20);
  const firstCount = isBig ? 2_000 : Math.ceil(count / idCount);
  const packages: BenchPackage[] = Array.from({ length: firstCount }, (_, n) => packageOf(0, n));
  for (let n = 0; packages.length < count; n++) {
    packages.push(packageOf(1 + (n % (idCount - 1)), Math.floor(n / (idCount - 1))));
  }
  return packages;
}

function packageOf(number: number, versionNumber: number): BenchPackage {
  return { id: idOf(number), version: `1.${versionNumber}.0` };
}

function idOf(number: number): string {
  return `tool-${kinds[Math.floor(number / 10) % 10]}-${nouns[number % 10]}-${number}`;
}

/** Words that find at least 30 ids in a feed of 500: nouns, kinds and their beginnings, alone and with a second word. */
export function searchWords(): string[] {
  const single = [...nouns, ...kinds].flatMap((word) =>
    [4, 5, word.length].map((length) => word.slice(0, length)),
  );
  const beside = ['tool', 'go', 'windows', 'somebody', 'sentence', 'ordinary', 'described', 'entry'];
  return [...new Set(single.flatMap((word) => [word, ...beside.map((other) => `${other} ${word}`)]))];
}

export function nuspecOf({ id, version }: BenchPackage): string {
  return `<?xml version="1.0" encoding="utf-8"?><package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd"><metadata><id>${id}</id><version>${version}</version><title>${id}</title><authors>Somebody</authors><projectUrl>https://example.org/${id}</projectUrl><summary>A ${id} for those who need one</summary><description>What ${id} does is described here in a sentence of ordinary length, so that an entry is as large as real ones are.</description><tags>go windows ${id}</tags></metadata></package>`;
}

/** A small but real package: 4 KB of bytes that do not compress, unless `noiseBytes` says otherwise. */
export function makeNupkg(pkg: BenchPackage, noiseBytes = 4096): Buffer {
  const text = (content: string) => new Uint8Array(Buffer.from(content));
  const zip = zipSync(
    {
      '_rels/.rels': text(
        `<?xml version="1.0" encoding="utf-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${pkg.id}.nuspec" Id="R0" /></Relationships>`,
      ),
      '[Content_Types].xml': text(
        '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="nuspec" ContentType="application/octet" /><Default Extension="bin" ContentType="application/octet" /></Types>',
      ),
      [`${pkg.id}.nuspec`]: text(nuspecOf(pkg)),
      'tools/data.bin': noise(noiseBytes, `${pkg.id} ${pkg.version}`),
    },
    { level: 0, mtime: '1980-01-01T12:00:00' },
  );
  return Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
}

/** The same bytes for the same name (xorshift), so that runs can be compared. */
export function noise(length: number, name: string): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = 2_166_136_261;
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 16_777_619);
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

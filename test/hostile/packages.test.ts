import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readXml } from '../../formats/xml.ts';
import { type RawEntry, rawZip, zip64Extra } from '../formats/raw-zip.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

const mebibyte = 1024 ** 2;
const head = '<package><metadata><id>evil</id><version>1.0.0</version><authors>a</authors>';
const tail = '</metadata></package>';
const nuspecText = `${head}<description>b</description>${tail}`;
const nuspec: RawEntry = { name: 'evil.nuspec', content: nuspecText };
const tool: RawEntry = { name: 'tools/a.exe', content: 'MZ'.repeat(500) };
const zip = (...entries: RawEntry[]) => rawZip({ entries: [nuspec, ...entries] });
const named = (name: string) => zip({ name, content: 'x' });
const withText = (content: string | Buffer) => rawZip({ entries: [{ ...nuspec, content, isStored: true }] });
const described = (xml: string) => withText(`${head}<description>${xml}</description>${tail}`);

const hostile: readonly (readonly [what: string, bytes: () => Buffer, says: RegExp])[] = [
  ['a bomb', () => zip({ name: 'b', content: Buffer.alloc(64 * mebibyte) }), /200 times its packed size/],
  [
    'a bomb of many',
    () => zip(...Array.from({ length: 60 }, (_, n) => ({ name: `b/${n}`, content: Buffer.alloc(mebibyte) }))),
    /times its packed size/,
  ],
  [
    'a bomb that says it is small',
    () =>
      zip({
        name: 'b',
        content: Buffer.alloc(64 * mebibyte),
        central: { bytes: 100 },
        local: { bytes: 100 },
      }),
    /not a readable zip/,
  ],
  [
    'more entries than are read',
    () => zip(...Array.from({ length: 10_001 }, (_, n) => ({ name: `t/${n}`, content: '' }))),
    /10002 entries; at most 10000/,
  ],
  [
    'more entries than it counts',
    () => rawZip({ entries: [nuspec, tool, { ...tool, name: 'hidden' }], end: { count: 2 } }),
    /does not end after them/,
  ],
  [
    'entries that overlap',
    () => zip(tool, { ...tool, name: 'same', offset: 0 }),
    /share the same bytes|described in two ways/,
  ],
  [
    'one kernel quoted by a thousand entries',
    () =>
      zip(
        tool,
        ...Array.from({ length: 1000 }, (_, n) => ({
          ...tool,
          name: `q${n}`,
          packed: Buffer.alloc(0),
          offset: 200,
        })),
      ),
    /./,
  ],
  [
    'zip64 sizes of exabytes',
    () => zip({ ...tool, central: { bytes: 0xffffffff }, extra: zip64Extra(2n ** 62n) }),
    /\d bytes; at most|unpacks to|not a readable zip/,
  ],
  [
    'a zip64 end at 2^64',
    () => rawZip({ entries: [nuspec], zip64: { recordOffset: 2n ** 64n - 1n } }),
    /not a readable zip/,
  ],
  ['two directories', () => Buffer.concat([zip(tool), zip({ ...tool, name: 'other' })]), /./],
  [
    'another zip in its comment',
    () => rawZip({ entries: [nuspec], end: { comment: zip(tool) } }),
    /not a readable zip|does not end|no \.nuspec/,
  ],
  ['an encrypted entry', () => zip({ ...tool, flags: 0x801, packed: Buffer.alloc(20) }), /is encrypted/],
  ['two nuspecs', () => zip({ ...nuspec, name: 'b.nuspec' }), /2 \.nuspec files/],
  ['one nuspec twice', () => zip({ ...nuspec, name: 'EVIL.nuspec' }), /same file on Windows/],
  ['a nuspec that unpacks to gigabytes', () => withPacked(deflateRawSync(Buffer.alloc(300 * mebibyte))), /./],
  ...[
    '../evil',
    'a/../../evil',
    '..\\evil',
    '/etc/passwd',
    'C:/evil',
    '\\\\server\\evil',
    'a/%2e%2e/%2e%2e/evil',
    'a%5c..%5cevil',
  ].map(
    (name) =>
      [`the entry ${name}`, () => named(name), /cannot be unpacked safely|not a readable zip/] as const,
  ),
  ...[
    'con',
    'tools/NUL.txt',
    'tools/com1',
    'lpt\u00b9.exe',
    'tools/a.exe:stream',
    'tools/a.exe.',
    'tools/a.exe ',
    'tools/a\u0000.exe',
  ].map(
    (name) =>
      [
        `the entry ${JSON.stringify(name)}`,
        () => named(name),
        /cannot be unpacked safely|not a readable zip/,
      ] as const,
  ),
  [
    'a billion laughs',
    () => withText(`<!DOCTYPE l [${laughs()}]>${head}<description>&l9;</description>${tail}`),
    /document type/,
  ],
  [
    'a file of ours by an entity',
    () =>
      withText(
        `<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>${head}<description>&x;</description>${tail}`,
      ),
    /document type/,
  ],
  ['an entity of nobody', () => described('&x;'), /entity/],
  [
    'elements 2,000 deep',
    () => described(`${'<a>'.repeat(2000)}${'</a>'.repeat(2000)}`),
    /nests deeper than 32/,
  ],
  ['100,000 elements', () => described('<a/>'.repeat(100_000)), /more than 10000 elements/],
  [
    'an attribute of a mebibyte',
    () => withText(nuspecText.replace('<package>', `<package x="${'y'.repeat(mebibyte)}">`)),
    /bytes; at most/,
  ],
  ['UTF-16 without a mark', () => withText(Buffer.from(nuspecText, 'utf16le')), /XML/],
  ['Latin-1', () => withText(Buffer.from(nuspecText.replace('>b<', '>\u00fc<'), 'latin1')), /UTF-8/],
  ['a control character', () => described('a\u0007b'), /U\+0007 at line 1, column/],
  ['a control character by number', () => described('a&#7;b'), /&#7; at line 1, column/],
  [
    'a line end in its id',
    () => withText(nuspecText.replace('evil<', 'evil&#13;&#10;X-Header: 1<')),
    /as id; expected/,
  ],
  [
    'a version of 10,000 digits',
    () => withText(nuspecText.replace('1.0.0', '9'.repeat(10_000))),
    /as version; expected/,
  ],
  ['an id of 101 letters', () => withText(nuspecText.replace('evil', 'e'.repeat(101))), /as id; expected/],
  [
    'an address that runs',
    () =>
      withText(nuspecText.replace('</metadata>', '<projectUrl>javascript:alert(1)</projectUrl></metadata>')),
    /projectUrl/,
  ],
  [
    'symbols',
    () =>
      withText(
        nuspecText.replace(
          '</metadata>',
          '<packageTypes><packageType name="SymbolsPackage"/></packageTypes></metadata>',
        ),
      ),
    /symbol package/,
  ],
];

describe('a hostile package', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ logLevel: 'error' });
  });
  afterAll(() => server.stop());

  it.each(hostile)(
    'is refused, with its reason in one line, and leaves nothing: %s',
    async (_what, bytes, says) => {
      const answer = await pushNupkg(server, bytes(), server.adminKey);

      expect([answer.status, answer.statusText]).toEqual([400, expect.stringMatching(says)]);
      expect(answer.statusText).toMatch(
        /^The upload is not a package that can be published: [\x20-\x7e\xa0-\xff]+$/,
      );
      expect((await fetch(`${server.url}/nuget/package/evil/1.0.0`)).status).toBe(404);
      const kept = await readdir(join(server.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
      expect(kept.filter((entry) => entry.isFile())).toEqual([]);
      expect(server.logged()).toBe('');
    },
  );
});

describe('a package that only looks hostile', () => {
  const nasty =
    ']]&gt; &lt;script&gt;alert(1)&lt;/script&gt; \u{1f600} \u202e \u0085 &amp;amp; <![CDATA[<b>]]> ';

  it.each<[string, () => Buffer]>([
    [
      'a package within it',
      () => makeNupkg({ id: 'evil', files: { 'inner.zip': makeNupkg(), 'inner/inner.nupkg': makeNupkg() } }),
    ],
    ['a comment of 60 KB', () => rawZip({ entries: [nuspec], end: { comment: Buffer.alloc(60_000, 'c') } })],
    ['UTF-16 with its mark', () => withText(Buffer.from(`\ufeff${nuspecText}`, 'utf16le'))],
    ['UTF-8 with its mark', () => withText(`\ufeff${nuspecText}`)],
    [
      'UTF-8 that calls itself Latin-1',
      () => withText(`<?xml version="1.0" encoding="iso-8859-1"?>${nuspecText}`),
    ],
    [
      'markup and signs in its texts',
      () => withText(`${head}<title>${nasty}</title><description>${nasty}</description>${tail}`),
    ],
  ])('is accepted, and shown in complete documents: %s', async (_what, bytes) => {
    const server = await startTestServer();

    expect((await pushNupkg(server, bytes(), server.adminKey)).status).toBe(201);

    for (const path of [
      "/nuget/Packages(Id='evil',Version='1.0.0')",
      '/nuget/Search()',
      "/nuget/FindPackagesById()?id='evil'",
    ]) {
      await readXml(await (await fetch(`${server.url}${path}`)).text());
    }
    const page = await (
      await fetch(`${server.url}/packages/evil`, { headers: { Accept: 'text/html' } })
    ).text();
    expect(page).not.toMatch(/<script|<b>/);
    expect((await fetch(`${server.url}/nuget/package/evil/1.0.0`)).status).toBe(200);
    await server.stop();
  });
});

function laughs(): string {
  return Array.from(
    { length: 10 },
    (_, n) => `<!ENTITY l${n} "${n === 0 ? 'ha' : `&l${n - 1};`.repeat(10)}">`,
  ).join('');
}

function withPacked(packed: Buffer): Buffer {
  return rawZip({
    entries: [
      { ...nuspec, packed, central: { packedBytes: packed.length }, local: { packedBytes: packed.length } },
    ],
  });
}

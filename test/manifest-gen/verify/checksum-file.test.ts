import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { checkChecksumFile, checksumsOf } from '../../../manifest-gen/verify/checksum-file.ts';
import { hasProgram, mustRun } from '../../kit/programs.ts';
import { makeAsset } from '../../kit/release-values.ts';

const right = 'a'.repeat(64);
const wrong = 'b'.repeat(64);
const sha512 = 'c'.repeat(128);

type Form = (hex: string, name: string) => string;

/** GNU's text and binary mode, BSD's, openssl's: a name with a line end or a backslash is escaped, and a \\ before it says so. */
const forms: readonly Form[] = [
  escaping((hex, name) => `${hex}  ${name}`),
  escaping((hex, name) => `${hex} *${name}`),
  escaping((hex, name) => `SHA${hex.length * 4} (${name}) = ${hex}`),
  escaping((hex, name) => `SHA2-${hex.length * 4}(${name})= ${hex}`),
  escaping((hex, name) => `${hex.toUpperCase()}  ./${name}`),
];

function escaping(render: Form): Form {
  const letters: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };
  return (hex, name) => {
    const escaped = name.replace(/[\\\n\r]/g, (letter) => letters[letter] ?? letter);
    return `${escaped === name ? '' : '\\'}${render(hex, escaped)}`;
  };
}

describe('a checksum file', () => {
  it.each<[string, string, string[]]>([
    ['GNU text mode', `${right}  x.zip\n`, [right]],
    ['GNU binary mode', `${wrong} *y.zip\n${right} *x.zip\n`, [right]],
    ['one blank', `${wrong} y\n${right} x.zip`, [right]],
    ['BSD', `SHA256 (y.zip) = ${wrong}\nSHA256 (x.zip) = ${right}\n`, [right]],
    ['BSD of another algorithm', `SHA512 (x.zip) = ${sha512}\nSHA256 (x.zip) = ${right}\n`, [sha512, right]],
    ['Windows line ends and a byte order mark', `\uFEFF${right}  x.zip\r\n${wrong}  y.zip\r\n`, [right]],
    ['upper case hex', `${right.toUpperCase()}  x.zip\n`, [right]],
    ['a name with ./', `${right}  ./x.zip\n${wrong}  y\n`, [right]],
    ['a hash alone', `${right}\n`, [right]],
    ['a SHA-512 file', `${sha512}  x.zip\n`, [sha512]],
    ['openssl 3', `SHA2-256(y.zip)= ${wrong}\nSHA2-256(x.zip)= ${right}\n`, [right]],
    ['openssl 1', `SHA512(x.zip)= ${sha512}\n`, [sha512]],
    ['digests as registries write them', `sha256:${wrong}  y.zip\nsha256:${right}  x.zip\n`, [right]],
    ['a digest alone', `sha256:${right}\n`, [right]],
    ['comments and empty lines', `# sums of 1.2.3\n\n${right}  x.zip\n\n`, [right]],
    ['a blank, a tab', `${right}\tx.zip\n`, [right]],
    ['another file with an escaped name', `\\${wrong}  dir\\\\x.zip\n${right}  x.zip\n`, [right]],
    ['an escaped line that needed none', `\\${right}  x.zip\n`, [right]],
    ['BSD, escaped', `\\SHA256 (y\\n) = ${wrong}\n\\SHA256 (x.zip) = ${right}\n`, [right]],
    ['SHA-512/256, which is another hash of that length', `SHA512/256 (x.zip) = ${wrong}\n`, []],
    ['the SBOM before the zip (spec upstream 3)', `${wrong}  x.zip.sbom\n${right}  x.zip\n`, [right]],
    [
      'a longer name with the same end (spec scoop 2.3)',
      `${wrong}  protoc-x.zip\n${right}  x.zip\n`,
      [right],
    ],
    ['a name in a folder is another file', `${wrong}  other/x.zip\n`, []],
    ['a name in another case is another file', `${wrong}  X.zip\n`, []],
    ['the SBOM only', `${wrong}  x.zip.sbom\n`, []],
    ['a hash of a length that is not ours', `${'d'.repeat(40)}  x.zip\n`, []],
    ['two lines with different hashes', `${right}  x.zip\n${wrong}  x.zip\n`, [right, wrong]],
    ['two hashes without names', `${right}\n${wrong}\n`, []],
    ['an HTML page', '<!doctype html>\n<title>Error</title>\n', []],
    ['nothing', '', []],
    ['a line made to keep a pattern busy', `${right} ${' '.repeat(200_000)}x`, []],
    [
      'another one, with a line end of Unicode',
      `${wrong}${' '.repeat(500_000)}\u2028x\n${right}  x.zip`,
      [right],
    ],
  ])('states for x.zip: %s', (_, text, expected) => {
    expect(checksumsOf(text, 'x.zip')).toEqual(expected);
  });

  it.each([
    ['back\\slash', '\\\\'],
    ['line\nfeed', '\\n'],
    ['carriage\rreturn', '\\r'],
  ])('states for the name %j the hash behind its escaped form', (name, letters) => {
    const escaped = name.replace(/[\\\n\r]/, letters);

    expect(checksumsOf(`\\${right}  ${escaped}\n${wrong}  ${escaped}\n`, name)).toEqual([right]);
    expect(checksumsOf(`\\SHA256 (${escaped}) = ${right}\n${wrong}  y\n`, name)).toEqual([right]);
  });

  it('is read back in every form, whatever else it contains', () => {
    const unit = fc.constantFrom(...'0123456789abcdef');
    const hash = fc.oneof(
      ...[64, 128].map((length) => fc.string({ unit, minLength: length, maxLength: length })),
    );
    // what programs write of any name: blanks, brackets, stars, umlauts, and what GNU escapes
    const name = fc
      .string({ unit: fc.constantFrom(...'aZ09._-+ ()=*#/\\\n\rä日'), minLength: 1, maxLength: 12 })
      .filter((text) => text.trimEnd() === text && !/^[ *\t]|^\.\//.test(text));
    const form = fc.constantFrom<Form>(...forms);
    const noise = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('', '# sums', '-----BEGIN PGP SIGNED MESSAGE-----')),
    );

    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, hash, form), { minLength: 1, maxLength: 5, selector: ([one]) => one }),
        noise,
        fc.constantFrom('\n', '\r\n'),
        (listed, others, lineEnd) => {
          const lines = listed.map(([file, hex, render]) => render(hex, file));
          // a line of noise that names one of our files is no noise
          const harmless = others.filter(
            (line) => listed.every(([file]) => !line.includes(file)) && !/[\n\r]/.test(line),
          );
          const text = [...harmless, ...lines, ...harmless, '# end'].join(lineEnd);

          for (const [file, hex] of listed) expect(checksumsOf(text, file)).toEqual([hex]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never takes a hash from a line that names another file', () => {
    const name = fc.stringMatching(/^[a-z.]{1,8}$/);
    fc.assert(
      fc.property(name, name, (asked, listed) => {
        fc.pre(asked !== listed);

        expect(checksumsOf(`${wrong}  ${listed}\n${right}  other file\n`, asked)).toEqual([]);
      }),
    );
  });

  it('passes when it lists the bytes, by either hash or both', async () => {
    const asset = await makeAsset(Buffer.from('bytes'), { name: 'x.zip' });

    const sha256 = `${asset.digest.sha256}  x.zip\n`;
    const sha512 = `SHA512 (x.zip) = ${asset.digest.sha512}\n`;
    for (const text of [sha256, sha512, sha256 + sha512, sha256 + sha256]) {
      const verdict = checkChecksumFile({ name: 'sums', text }, asset);
      expect(verdict).toMatchObject({ kind: 'checksum', verdict: 'passed', subject: 'x.zip' });
    }
  });

  it.each<[string, string, RegExp]>([
    ['another hash', `${wrong}  x.zip\n`, /another hash/],
    ['two hashes, one of them right', '', /another hash/],
    ['no line for the file', `${wrong}  y.zip\n`, /does not list/],
  ])('fails on %s', async (_, text, detail) => {
    const asset = await makeAsset(Buffer.from('bytes'), { name: 'x.zip' });
    const both = `${wrong}  x.zip\n${asset.digest.sha256}  x.zip\n`;

    const verdict = checkChecksumFile({ name: 'sums', text: text || both }, asset);

    expect(verdict).toMatchObject({
      verdict: 'failed',
      expected: expect.any(String),
      found: expect.any(String),
    });
    expect(verdict.detail).toMatch(detail);
  });
});

describe.each([
  ['sha256sum', 'sha256'],
  ['sha512sum', 'sha512'],
] as const)('the real %s', (program, algorithm) => {
  it.skipIf(!hasProgram(program)).each([
    ['x.zip', []],
    ['x.zip', ['--binary']],
    ['x.zip', ['--tag']],
    ['back\\slash', []],
    ['line\nfeed', ['--tag']],
  ])('writes a file that is understood here: %j %j', async (name, flags) => {
    const cwd = await mkdtemp(join(tmpdir(), 'sums-'));
    const bytes = Buffer.from('bytes');
    await writeFile(join(cwd, name), bytes);

    const text = await mustRun(program, [...flags, name], { cwd });

    expect(checksumsOf(text, name)).toEqual([digestBytes(bytes)[algorithm]]);
  });
});

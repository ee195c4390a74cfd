import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { parseScoopManifest, printScoopManifest, type ScoopManifest } from '../../formats/scoop-manifest.ts';

const hash = 'ab'.repeat(32);
const least = {
  version: '1.0',
  homepage: 'https://example.test',
  license: 'MIT',
  url: 'https://example.test/a.exe',
  hash,
};

const buf: ScoopManifest = {
  autoupdate: {
    architecture: {
      arm64: {
        url: 'http://127.0.0.1:8080/dl/buf/$version/buf-windows-arm64.exe#/buf.exe',
        hash: { url: '$url.sha256' },
      },
      '64bit': {
        hash: { url: '$url.sha256' },
        url: 'http://127.0.0.1:8080/dl/buf/$version/buf-windows-amd64.exe#/buf.exe',
      },
    },
  },
  checkver: { jsonpath: '$.version', url: 'http://127.0.0.1:8080/m/buf.json' },
  bin: ['buf.exe'],
  architecture: {
    arm64: { hash, url: 'http://127.0.0.1:8080/dl/buf/1.32.0/buf-windows-arm64.exe#/buf.exe' },
    '64bit': { hash, url: 'http://127.0.0.1:8080/dl/buf/1.32.0/buf-windows-amd64.exe#/buf.exe' },
  },
  notes: 'First line\r\n  second "line" <b> Ω  ',
  license: { url: 'https://github.com/bufbuild/buf/blob/v1.32.0/LICENSE', identifier: 'Apache-2.0' },
  homepage: 'https://buf.build',
  description: 'Work with Protocol Buffers',
  version: '1.32.0',
};

/** Every key that Scoop knows. */
const everything: ScoopManifest = {
  $schema: 'https://raw.githubusercontent.com/ScoopInstaller/Scoop/master/schema.json',
  _comment: 'old',
  '##': ['one', 'two'],
  version: '1.2.3-beta.1+x_y',
  description: 'd',
  homepage: 'https://example.test/',
  license: { identifier: 'MIT' },
  notes: ['a', '', 'b'],
  depends: ['main/git', 'extras/x'],
  suggest: { JDK: ['java/openjdk'], vcredist: ['extras/a', 'extras/b'] },
  cookie: { oraclelicense: 'accept' },
  url: ['https://example.test/a.zip', 'https://example.test/b?x=1#/b.zip'],
  hash: [`sha512:${'0'.repeat(128)}`, `md5:${'f'.repeat(32)}`],
  architecture: {
    '32bit': { bin: 'a.exe', checkver: 'github', pre_install: ['x'] },
    '64bit': { installer: { script: ['a', 'b'] }, uninstaller: { script: 'c' }, env_set: { A: '$dir' } },
  },
  innosetup: true,
  extract_dir: ['a', 'b'],
  extract_to: ['', 'b'],
  pre_install: 'a',
  installer: { file: 'x.exe', args: ['/S'], keep: true },
  post_install: ['a', 'b'],
  uninstaller: { file: 'u.exe', args: '/S' },
  bin: ['a.exe', ['b.exe', 'c', '--flag'], ['d.exe']],
  env_add_path: '.',
  shortcuts: [['a.exe', 'A']],
  env_set: { HOME: '$dir', N: 1 },
  psmodule: { name: 'x' },
  persist: ['data', ['config', 'etc']],
  pre_uninstall: 'a',
  post_uninstall: 'b',
  checkver: { github: 'https://github.com/a/b', regex: 'v([\\d.]+)', reverse: true, replace: '$1' },
  autoupdate: {
    url: 'https://example.test/$version/a.zip',
    hash: { mode: 'json', url: '$baseurl/sums', jsonpath: '$.sha' },
    extract_dir: 'a-$version',
    bin: ['a-$version.exe'],
    notes: 'n',
  },
};

describe('Scoop manifest', () => {
  it.each([
    ['buf', buf],
    ['everything', everything],
  ])("is printed in Scoop's formatting and key order (%s)", async (name, manifest) => {
    const text = printScoopManifest(manifest);
    await expect(text).toMatchFileSnapshot(`../golden/formats/${name}.json`);
    expect(printScoopManifest(parseScoopManifest(text))).toBe(text);
  });

  // Spec scoop 3.2.
  it.each([
    ['a list of one', { bin: ['a.exe'] }, { bin: 'a.exe' }],
    ['a list of one list', { bin: [['a.exe', 'b']] }, { bin: [['a.exe', 'b']] }],
    ['a list of one in a longer list', { bin: ['a', ['b']] }, { bin: ['a', 'b'] }],
    ['a text of lines', { notes: ' a \r\n b\n' }, { notes: ['a', 'b', ''] }],
    ['a list of one text of lines', { notes: ['a\nb'] }, { notes: ['a', 'b'] }],
    ['a text of one line', { notes: ' a ' }, { notes: ' a ' }],
    ['one url and its hash', { url: [least.url], hash: [hash] }, { url: least.url, hash }],
    [
      'one extraction',
      { autoupdate: { hash: [{ url: '$url.sha256' }] } },
      { autoupdate: { hash: { url: '$url.sha256' } } },
    ],
    [
      'the block of an architecture',
      { architecture: { '64bit': { bin: ['a'] } } },
      { architecture: { '64bit': { bin: 'a' } } },
    ],
  ])('prints %s as formatjson does', (_what, given, expected) => {
    const text = printScoopManifest({ ...least, ...given });
    expect(JSON.parse(text)).toMatchObject(expected);
  });

  it.each([
    ['an unknown key', { preinstall: 'x' }, 'manifest: Unrecognized key: "preinstall"'],
    [
      'an unknown key of an architecture',
      { architecture: { '64bit': { persist: 'x' } } },
      'architecture.64bit',
    ],
    ['an unknown architecture', { architecture: { ia64: {} } }, 'architecture'],
    ['an unknown key of checkver', { checkver: { gitlab: 'x' } }, 'checkver: Unrecognized key: "gitlab"'],
    ['an unknown key of license', { license: { name: 'MIT' } }, 'license'],
    ['no version', { version: undefined }, 'version'],
    ['a blank in version', { version: '1 0' }, 'version: expected letters, digits'],
    ['no homepage', { homepage: undefined }, 'homepage'],
    ['a relative homepage', { homepage: '/a' }, 'homepage: expected an absolute address'],
    ['no license', { license: undefined }, 'license'],
    ['no url', { url: undefined }, 'url: expected one, here or for an architecture'],
    [
      'no url in any architecture',
      { url: undefined, architecture: { '64bit': { bin: 'x' } } },
      'url: expected one',
    ],
    ['a variable in url', { url: 'https://a/$version' }, 'url: expected an address without $'],
    ['a blank in url', { url: 'https://a/b c' }, 'url: expected an absolute address'],
    ['an empty list', { bin: [] }, 'bin'],
    [
      'one url twice',
      { url: [least.url, least.url], hash: [hash, 'cd'.repeat(32)] },
      'url: expected nothing twice',
    ],
    [
      'fewer hashes than urls',
      { url: [least.url, `${least.url}2`] },
      'hash: expected 2 for as many urls, found 1',
    ],
    [
      'fewer hashes in an architecture',
      { architecture: { '64bit': { url: 'https://a/b', hash: [hash, 'cd'.repeat(32)] } } },
      'architecture.64bit.hash: expected 1',
    ],
    ['a short hash', { hash: 'ab' }, 'hash: expected 64 hex digits'],
    ['a hash of the wrong length for its kind', { hash: `sha1:${hash}` }, 'hash: expected 64 hex digits'],
    ['a shortcut without name', { shortcuts: [['a.exe']] }, 'shortcuts.0'],
    [
      'an uninstaller that does nothing',
      { uninstaller: { args: 'x' } },
      'uninstaller: expected either file or script',
    ],
    [
      'an uninstaller with both',
      { uninstaller: { file: 'a', script: 'b' } },
      'uninstaller: expected either file or script',
    ],
    [
      'a JSON path without root',
      { checkver: { url: 'https://a', jsonpath: 'version' } },
      'checkver.jsonpath: expected a JSON path',
    ],
    ['an unknown mode', { autoupdate: { hash: { mode: 'guess' } } }, 'autoupdate.hash.mode'],
  ])('with %s is refused, naming the place', (_fault, change, problem) => {
    const text = JSON.stringify({ ...least, ...change });
    expect(() => parseScoopManifest(text)).toThrow(FormatError);
    expect(() => parseScoopManifest(text)).toThrow(problem);
  });

  it('names every problem at once', () => {
    expect(() => parseScoopManifest('{"version": 1, "homepage": "x"}')).toThrow(
      /version: .*; homepage: .*; license: /,
    );
  });

  it('is not printed when formatting would break it', () => {
    expect(() => printScoopManifest({ ...least, description: 'a\nb' })).toThrow('description');
    expect(() => printScoopManifest({ ...least, env_set: { Path: 'a', PATH: 'b' } })).toThrow('"PATH" twice');
    expect(() => printScoopManifest({ ...least, preinstall: 'x' } as ScoopManifest)).toThrow('preinstall');
  });

  it.each([
    ['no JSON', '{', 'JSON_MALFORMED'],
    ['a comment', '{} // x', 'JSON_MALFORMED'],
    ['a comma too many', '{"a": 1,}', 'JSON_MALFORMED'],
    ['a byte order mark', '\u{feff}{}', 'JSON_MALFORMED'],
    ['conflict markers', '<<<<<<< HEAD\n{}', 'JSON_MALFORMED'],
    ['a list', '[]', 'MANIFEST_INVALID'],
    ['null', 'null', 'MANIFEST_INVALID'],
    ['a key twice', '{"a": {\n  "b": 1, "b": 2}}', 'JSON_KEY_TWICE'],
    ['a key twice but for case', '{"bin": 1, "Bin": 2}', 'JSON_KEY_TWICE'],
    ['a key twice but for escapes', '{"bin": 1, "\\u0062in": 2}', 'JSON_KEY_TWICE'],
    ['deep nesting', `{"env_set": ${'['.repeat(40)}${']'.repeat(40)}}`, 'JSON_TOO_DEEP'],
    ['a mebibyte and more', `{"notes": "${'x'.repeat(1024 * 1024)}"}`, 'JSON_TOO_LARGE'],
  ])('that is %s is refused', (_fault, text, code) => {
    expect(() => parseScoopManifest(text)).toThrow(expect.objectContaining({ name: 'FormatError', code }));
  });

  it('reports where a key is repeated, and allows the same key in different objects', () => {
    expect(() => parseScoopManifest('{"a": 1,\n  "A": 2}')).toThrow(
      'the key "A" twice in one object, at line 2, column 3',
    );
    const text = JSON.stringify({
      ...least,
      suggest: { url: 'a', 'x": ': 'b: {"url": 1' },
      env_set: { url: 'b' },
    });
    expect(parseScoopManifest(text).env_set).toEqual({ url: 'b' });
  });

  it('keeps its messages short and visible, whatever it contains', () => {
    const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`\u{1f600}\n${index}`, 1]));
    const error = catchError(() => parseScoopManifest(JSON.stringify({ ...least, ...keys })));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(/^[\x20-\x7e]{1,1000}$/);
  });
});

describe('Scoop manifest, whatever it is', () => {
  const texts = fc.oneof(
    fc.constantFrom('a', ' a ', 'a\nb', 'a\r\n', 'tab\t', '"', '\\', 'Ω'),
    fc.array(fc.constantFrom('a', 'b', 'a\nb'), { minLength: 1, maxLength: 3 }),
  );
  const lists = fc.oneof(
    texts,
    fc.array(
      fc.oneof(fc.constant('a'), fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 2 })),
      { minLength: 1, maxLength: 3 },
    ),
  );
  const optional = {
    notes: texts,
    depends: texts,
    pre_install: texts,
    bin: lists,
    persist: lists,
    env_set: fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue({ maxDepth: 3 })),
    autoupdate: fc.record({ notes: texts, bin: lists }, { requiredKeys: [] }),
  };
  const manifest = fc
    .record(optional, { requiredKeys: [] })
    .map((given) => ({ ...least, ...given }) as ScoopManifest);

  it('is printed as a valid manifest, which prints the same again', () => {
    fc.assert(
      fc.property(manifest, (value) => {
        const error = catchError(() => printScoopManifest(value));
        fc.pre(!(error instanceof FormatError && error.code === 'JSON_KEY_TWICE'));
        const text = printScoopManifest(value);
        expect(text).toMatch(/^\{\n[^\r]*\n\}\n$/);
        expect(printScoopManifest(parseScoopManifest(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('is read or refused with a FormatError', () => {
    const wild = fc.dictionary(fc.constantFrom(...Object.keys(everything), 'x', '__proto__'), fc.jsonValue());
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      wild.map((value) => JSON.stringify({ ...least, ...value })),
    );
    fc.assert(
      fc.property(text, (source) => {
        const error = catchError(() => parseScoopManifest(source));
        if (error === undefined) return;
        expect(error).toBeInstanceOf(FormatError);
        expect((error as Error).message).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: 2000 },
    );
  });
});

function catchError(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

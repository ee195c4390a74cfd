import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { dependenciesText, type Nuspec, readNuspec, writeNuspec } from '../../formats/nuspec.ts';
import { nuspecValue } from './arbitraries.ts';

const namespaces = ['2010/07', '2011/08', '2011/10', '2012/06', '2013/01', '2013/05', '2015/06'].map(
  (year) => `http://schemas.microsoft.com/packaging/${year}/nuspec.xsd`,
);

function nuspecXml(metadata: string, attributes = ''): string {
  return `<package xmlns="${namespaces[0]}"><metadata${attributes}>${metadata}</metadata></package>`;
}

const least = '<id>a</id><version>1.0</version><authors>b</authors>';

const whole: Nuspec = {
  id: 'delve',
  version: '1.22.0-beta.1',
  title: 'Delve & "friends"',
  authors: 'Derek Parker, contributors',
  owners: 'go-win-tools',
  description: 'A debugger for Go.\n\n* <b>not</b> bold\n* 1 < 2 && 3 > 2 ]]>\n* \u{1f600} Ω',
  summary: 'Debugger',
  releaseNotes: 'See\tCHANGELOG',
  copyright: '© 2014',
  language: 'en-US',
  tags: ['delve', 'go', 'debugger'],
  projectUrl: 'https://github.com/go-delve/delve',
  licenseUrl: 'https://github.com/go-delve/delve/blob/v1.22.0/LICENSE?a=1&b=2',
  iconUrl: 'https://example.test/icon.png',
  projectSourceUrl: 'https://github.com/go-delve/delve',
  packageSourceUrl: 'https://example.test/packages',
  docsUrl: 'https://example.test/docs',
  mailingListUrl: 'https://example.test/list',
  bugTrackerUrl: 'https://example.test/bugs',
  wikiUrl: 'https://example.test/wiki',
  requireLicenseAcceptance: true,
  developmentDependency: true,
  minClientVersion: '2.5',
  dependencies: [
    { id: 'chocolatey-core.extension', range: '1.3.3' },
    { id: '7zip.install', range: '[22.1.0]' },
    { id: 'anything' },
  ],
  files: [{ src: 'tools\\**', target: 'tools' }],
};
const small: Nuspec = {
  id: 'buf',
  version: '1.32.0',
  authors: 'Buf',
  tags: [],
  requireLicenseAcceptance: false,
  developmentDependency: false,
  dependencies: [],
};

describe('Nuspec', () => {
  it.each(namespaces)('is read in the namespace %s', async (namespace) => {
    const nuspec = await readNuspec(
      `<?xml version="1.0"?><package xmlns="${namespace}"><metadata>${least}</metadata></package>`,
    );
    expect(nuspec).toMatchObject({ id: 'a', version: '1.0', authors: 'b' });
  });

  it('is read with the namespace on metadata, with a prefix, or without any', async () => {
    const expected = { id: 'a', version: '1.0', authors: 'b' };
    const onMetadata = `<package><metadata xmlns="${namespaces[2]}">${least}</metadata></package>`;
    const prefixed = `<n:package xmlns:n="${namespaces[2]}"><n:metadata>${least.replace(/<(\/?)/g, '<$1n:')}</n:metadata></n:package>`;
    expect(await readNuspec(onMetadata)).toMatchObject(expected);
    expect(await readNuspec(prefixed)).toMatchObject(expected);
    expect(await readNuspec(`<package><metadata>${least}</metadata></package>`)).toMatchObject(expected);
  });

  it.each([
    ['UTF-8', (text: string) => Buffer.from(text)],
    ['UTF-8 with a mark', (text: string) => Buffer.from(`\u{feff}${text}`)],
    ['UTF-16 LE', (text: string) => Buffer.from(`\u{feff}${text}`, 'utf16le')],
    ['UTF-16 BE', (text: string) => Buffer.from(`\u{feff}${text}`, 'utf16le').swap16()],
  ])('is read from %s', async (_name, encode) => {
    const bytes = encode(nuspecXml(`${least}<title>Ω 日本</title>`));
    expect((await readNuspec(bytes)).title).toBe('Ω 日本');
  });

  it('trims texts, reads CDATA, and leaves out what is empty', async () => {
    const nuspec = await readNuspec(
      nuspecXml(
        `${least}<title>  </title><summary/><tags>\n a  b\tc </tags><description>\r\n <![CDATA[ <x> & ]]> y\r\nz </description>`,
        ' minClientVersion=" 2.5 "',
      ),
    );
    expect(nuspec).toEqual({
      id: 'a',
      version: '1.0',
      authors: 'b',
      description: '<x> &  y\nz',
      tags: ['a', 'b', 'c'],
      requireLicenseAcceptance: false,
      developmentDependency: false,
      minClientVersion: '2.5',
      dependencies: [],
    });
  });

  it('ignores unknown elements', async () => {
    const extra =
      '<repository type="git"/><license type="expression">MIT</license><provides>x</provides><constructor>y</constructor>';
    expect((await readNuspec(nuspecXml(least + extra))).id).toBe('a');
  });

  it('reads dependencies flat and in groups', async () => {
    const flat = await readNuspec(
      nuspecXml(
        `${least}<dependencies><dependency id="x" version="[1.0, 2.0)"/><dependency id="y"/></dependencies>`,
      ),
    );
    expect(flat.dependencies).toEqual([{ id: 'x', range: '[1.0, 2.0)' }, { id: 'y' }]);
    expect(dependenciesText(flat)).toBe('x:[1.0, 2.0)|y');
    const grouped = await readNuspec(
      nuspecXml(
        `${least}<dependencies><group targetFramework="net45"/><group><dependency id="x" version="(, )"/></group>` +
          '<group targetFramework=".NETStandard2.0"><dependency id="Microsoft.CSharp" version="4.5.0"/><dependency id="z"/></group></dependencies>',
      ),
    );
    // Spec nuget-v2 13: an empty group, a range that says nothing, a framework.
    expect(dependenciesText(grouped)).toBe(
      '::net45|x|Microsoft.CSharp:4.5.0:.NETStandard2.0|z::.NETStandard2.0',
    );
  });

  it.each([
    ['no package', '<nuspec/>', 'NUSPEC_SHAPE'],
    ['no metadata', '<package/>', 'NUSPEC_SHAPE'],
    ['no id', nuspecXml('<version>1.0</version><authors>b</authors>'), 'NUSPEC_FIELD_MISSING'],
    [
      'an empty id',
      nuspecXml('<id> </id><version>1.0</version><authors>b</authors>'),
      'NUSPEC_FIELD_MISSING',
    ],
    ['no version', nuspecXml('<id>a</id><authors>b</authors>'), 'NUSPEC_FIELD_MISSING'],
    ['no authors', nuspecXml('<id>a</id><version>1.0</version>'), 'NUSPEC_FIELD_MISSING'],
    ['two ids', nuspecXml(`${least}<id>c</id>`), 'NUSPEC_FIELD_TWICE'],
    ['two metadata', `<package><metadata>${least}</metadata><metadata/></package>`, 'NUSPEC_FIELD_TWICE'],
    ['a bad version', nuspecXml(least.replace('1.0', 'one')), 'NUSPEC_FIELD_INVALID'],
    ['a placeholder as version', nuspecXml(least.replace('1.0', '$version$')), 'NUSPEC_FIELD_INVALID'],
    [
      'a bad boolean',
      nuspecXml(`${least}<requireLicenseAcceptance>yes</requireLicenseAcceptance>`),
      'NUSPEC_FIELD_INVALID',
    ],
    ['a bad minClientVersion', nuspecXml(least, ' minClientVersion="new"'), 'NUSPEC_FIELD_INVALID'],
    [
      'a script as address',
      nuspecXml(`${least}<projectUrl>javascript:alert(1)</projectUrl>`),
      'NUSPEC_FIELD_INVALID',
    ],
    ['a relative address', nuspecXml(`${least}<iconUrl>/icon.png</iconUrl>`), 'NUSPEC_FIELD_INVALID'],
    [
      'an address with a tag',
      nuspecXml(`${least}<docsUrl>http://a/&lt;b&gt;</docsUrl>`),
      'NUSPEC_FIELD_INVALID',
    ],
    [
      'a dependency without id',
      nuspecXml(`${least}<dependencies><dependency/></dependencies>`),
      'NUSPEC_SHAPE',
    ],
    [
      'a dependency on a path',
      nuspecXml(`${least}<dependencies><dependency id="../x"/></dependencies>`),
      'NUSPEC_FIELD_INVALID',
    ],
    [
      'a floating range',
      nuspecXml(`${least}<dependencies><dependency id="x" version="1.*"/></dependencies>`),
      'NUSPEC_FIELD_INVALID',
    ],
    [
      'a bar in a framework',
      nuspecXml(`${least}<dependencies><group targetFramework="a|b"/></dependencies>`),
      'NUSPEC_FIELD_INVALID',
    ],
  ])('with %s is refused', async (_fault, xml, code) => {
    await expect(readNuspec(xml)).rejects.toMatchObject({ name: 'FormatError', code });
  });

  // Spec nuget-v2 12.5.
  it.each(['I.Like.Dots', '7zip.install', 'a_b-c.d', 'x'.repeat(100)])('may be called %.30s', async (id) => {
    expect((await readNuspec(nuspecXml(least.replace('>a<', `>${id}<`)))).id).toBe(id);
  });

  it.each([
    'ILike*Asterisks',
    'I_.Like.-Separators',
    '-StartWithSeparator',
    'EndWithSeparator.',
    'EndsWithHyphen-',
    '$id$',
    'a b',
    '..',
    'a/b',
    'ünï',
    'a#!@$%^b',
    'x'.repeat(101),
  ])('may not be called %.30s', async (id) => {
    await expect(readNuspec(nuspecXml(least.replace('>a<', `>${id}<`)))).rejects.toMatchObject({
      code: 'NUSPEC_FIELD_INVALID',
    });
  });

  it('names what was expected and what was found', async () => {
    await expect(readNuspec(nuspecXml(least.replace('1.0', '1.0-')))).rejects.toThrow(
      'The nuspec has "1.0-" as version; expected a version such as 1.2.0-beta.1.',
    );
  });

  it.each([
    ['whole', whole],
    ['small', small],
  ])('is written canonically (%s)', async (name, nuspec) => {
    await expect(writeNuspec(nuspec)).toMatchFileSnapshot(`../golden/formats/${name}.nuspec`);
    expect(await readNuspec(writeNuspec(nuspec))).toEqual(nuspec);
  });

  it('is not written with a character that XML does not have', () => {
    for (const title of ['bell \u0007', 'half \ud83d', 'nonchar \uffff']) {
      expect(() => writeNuspec({ ...small, title })).toThrow(FormatError);
    }
  });
});

describe('Nuspec, whatever it is', () => {
  it('survives writing and reading, and is written the same the second time', async () => {
    await fc.assert(
      fc.asyncProperty(nuspecValue, async (nuspec) => {
        const again = await readNuspec(writeNuspec(nuspec));
        expect(again).toEqual(nuspec);
        expect(writeNuspec(again)).toBe(writeNuspec(nuspec));
      }),
      { numRuns: 300 },
    );
  });

  it('gives dependencies that split again into its records', () => {
    fc.assert(
      fc.property(nuspecValue, (nuspec) => {
        const text = dependenciesText(nuspec);
        const records = text === '' ? [] : text.split('|');
        expect(records.map((record) => record.split(':')[0])).toEqual(
          nuspec.dependencies.map(({ id }) => id),
        );
        expect(records.every((record) => record.split(':').length <= 3)).toBe(true);
      }),
    );
  });
});

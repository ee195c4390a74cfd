import { describe, expect, it } from 'vitest';
import { findNamedEntry, maxNamedFileBytes, nuspecWithItsFiles } from '../../formats/nupkg-files.ts';
import { readNuspec } from '../../formats/nuspec.ts';

const least = '<id>a</id><version>1.0</version><authors>b</authors>';
const read = (metadata: string) => readNuspec(`<package><metadata>${least}${metadata}</metadata></package>`);

describe('what dotnet pack writes into a nuspec', () => {
  it('is read completely', async () => {
    const nuspec = await read(`
      <owners>Tool people</owners>
      <license type="file">docs\\LICENSE.txt</license>
      <licenseUrl>https://aka.ms/deprecateLicenseUrl</licenseUrl>
      <icon>images\\icon.png</icon>
      <readme>docs/README.md</readme>
      <packageTypes><packageType name="DotnetTool" /><packageType name="Template" version="1.0" /></packageTypes>
      <repository type="git" url="https://git.corp/tools" branch="main" commit="0123abc" />`);

    expect(nuspec).toMatchObject({
      owners: 'Tool people',
      license: { type: 'file', text: 'docs\\LICENSE.txt' },
      icon: 'images\\icon.png',
      readme: 'docs/README.md',
      packageTypes: [{ name: 'DotnetTool' }, { name: 'Template', version: '1.0' }],
      repository: { type: 'git', url: 'https://git.corp/tools', branch: 'main', commit: '0123abc' },
    });
  });

  it.each([
    ['<license type="expression" version="1.0.0">MIT OR Apache-2.0</license>', 'license'],
    ['<license>MIT</license>', undefined],
    ['<license type="other">MIT</license>', undefined],
    ['<license type="file"> </license>', undefined],
    ['<icon> </icon><readme/>', undefined],
    ['<packageTypes/>', undefined],
    ['<packageTypes><packageType/><packageType name="a b"/><other name="x"/></packageTypes>', undefined],
    ['<repository/>', undefined],
    ['<repository type=" "/>', undefined],
  ])('is ignored where no client could use it: %s', async (metadata, field) => {
    const nuspec = await read(metadata);
    const found = ['license', 'icon', 'readme', 'packageTypes', 'repository'].filter(
      (name) => name in nuspec,
    );

    expect(found).toEqual(field === undefined ? [] : [field]);
  });

  it('keeps the name of a type whose version is invalid', async () => {
    const { packageTypes } = await read('<packageTypes><packageType name="X" version="new"/></packageTypes>');

    expect(packageTypes).toEqual([{ name: 'X' }]);
  });

  it('keeps the first of very many types', async () => {
    const types = Array.from({ length: 5000 }, (_, at) => `<packageType name="T${at}"/>`);
    const { packageTypes } = await read(`<packageTypes>${types.join('')}</packageTypes>`);

    expect(packageTypes).toHaveLength(20);
    expect(packageTypes?.[19]).toEqual({ name: 'T19' });
  });
});

describe('a file that a nuspec names', () => {
  const entries = ['Icon.png', 'icon.png', 'docs/my%20readme.md', '50%.txt', './a/b.txt'].map((name) => ({
    name,
  }));

  it.each([
    ['icon.png', 'icon.png'],
    ['ICON.PNG', 'Icon.png'],
    ['\\Icon.png', 'Icon.png'],
    ['docs\\my readme.md', 'docs/my%20readme.md'],
    ['./docs//My README.md', 'docs/my%20readme.md'],
    ['50%.txt', '50%.txt'],
    ['a\\b.txt', './a/b.txt'],
    ['../icon.png', undefined],
    ['b.txt', undefined],
    ['', undefined],
  ])('%j is the entry %j', (path, name) => {
    expect(findNamedEntry(entries, path)?.name).toBe(name);
  });

  it('is left out where the package lacks it, or has a larger one than any feed sends', async () => {
    const nuspec = await read(
      '<icon>i.png</icon><readme>r.md</readme><license type="file">l.txt</license><title>t</title>',
    );
    const sized = (bytes: number) => ({ bytes, compressedBytes: bytes, crc32: 0 });
    const kept = (names: Record<string, number>) => {
      const all = Object.entries(names).map(([name, bytes]) => ({ name, ...sized(bytes) }));
      const { icon, readme, license, title } = nuspecWithItsFiles({ nuspec, entries: all });
      return [icon, readme, license?.text, title];
    };

    expect(kept({})).toEqual([undefined, undefined, undefined, 't']);
    expect(kept({ 'i.png': maxNamedFileBytes, 'r.md': 0, 'L.TXT': 1 })).toEqual([
      'i.png',
      'r.md',
      'l.txt',
      't',
    ]);
    expect(kept({ 'i.png': maxNamedFileBytes + 1, 'r.md': 1 })).toEqual([undefined, 'r.md', undefined, 't']);
  });
});

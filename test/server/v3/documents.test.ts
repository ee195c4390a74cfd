import { describe, expect, it } from 'vitest';
import type { PackageRow } from '../../../server/catalog/catalog.ts';
import { v3Links } from '../../../server/v3/links.ts';
import {
  inlineIndex,
  pagedIndex,
  registrationEntry,
  registrationLeaf,
} from '../../../server/v3/registration.ts';
import { serviceIndex } from '../../../server/v3/service-index.ts';
import { bareRow, fullRow } from '../odata/rows.ts';

const links = v3Links('https://feed.corp/go/');
const hive = { id: 'Delve', view: 'semver2', links } as const;
const golden = (name: string) => `../../golden/v3/${name}.json`;
const print = (document: object) => `${JSON.stringify(document, null, 2)}\n`;

describe('the service index', () => {
  it('is the golden file', async () => {
    await expect(print(serviceIndex(links))).toMatchFileSnapshot(golden('index'));
  });

  it('names no type twice, and each in the spelling that choco 2 and nuget.exe look for', () => {
    const { resources } = serviceIndex(links) as { resources: { '@type': string }[] };
    const types = resources.map((resource) => resource['@type']);

    expect(types).toEqual([...new Set(types)]);
    expect(types).toEqual(
      expect.arrayContaining([
        'SearchQueryService/3.0.0-beta',
        'SearchQueryService/3.4.0',
        'RegistrationsBaseUrl/3.0.0-beta',
        'RegistrationsBaseUrl/3.4.0',
        'PackageBaseAddress/3.0.0',
        'PackagePublish/2.0.0',
        'LegacyGallery/2.0.0',
      ]),
    );
  });
});

describe('a registration', () => {
  it('of an id with few versions is the golden file', async () => {
    const rows = [{ ...bareRow, id: 'Delve' }, fullRow];

    await expect(print(inlineIndex(rows, hive))).toMatchFileSnapshot(golden('registration'));
  });

  it('of an id with many versions names its pages', async () => {
    const pages = [
      { lower: '1.0.0', upper: '1.0.63', count: 64 },
      { lower: '1.0.64-Beta', upper: '2.0.0', count: 3 },
    ];

    await expect(print(pagedIndex(pages, hive))).toMatchFileSnapshot(golden('registration-pages'));
  });

  it('has a leaf and an entry for each version', async () => {
    await expect(print(registrationLeaf(fullRow, hive))).toMatchFileSnapshot(golden('leaf'));
    await expect(print(registrationEntry(fullRow, hive))).toMatchFileSnapshot(golden('entry'));
  });

  it('has pages of 64 versions', () => {
    const rows: PackageRow[] = Array.from({ length: 129 }, (_, patch) => ({
      ...bareRow,
      normalizedVersion: `1.0.${patch}`,
    }));
    const { items } = inlineIndex(rows, hive) as { items: { count: number; lower: string; items: [] }[] };

    expect(items.map(({ count, lower, items }) => [count, items.length, lower])).toEqual([
      [64, 64, '1.0.0'],
      [64, 64, '1.0.64'],
      [1, 1, '1.0.128'],
    ]);
  });

  it('keeps frameworks apart, omits ranges of all versions, and links to no scripts', () => {
    const dependencies = [
      { id: 'a', range: '1.0', targetFramework: 'net45' },
      { id: 'b', range: '(,)', targetFramework: 'net45' },
      { id: '', targetFramework: 'net40' },
      { id: 'c' },
    ];
    const row = {
      ...fullRow,
      nuspec: { ...fullRow.nuspec, dependencies, projectUrl: 'javascript:alert(1)' },
    };
    const catalogEntry = registrationEntry(row, hive) as {
      projectUrl?: string;
      dependencyGroups: { targetFramework?: string; dependencies: { id: string; range: string }[] }[];
    };

    expect(catalogEntry.projectUrl).toBeUndefined();
    expect(
      catalogEntry.dependencyGroups.map(({ targetFramework, dependencies }) => [
        targetFramework,
        dependencies.map(({ id, range }) => `${id} ${range}`),
      ]),
    ).toEqual([
      ['net45', ['a 1.0', 'b (, )']],
      ['net40', []],
      [undefined, ['c (, )']],
    ]);
  });
});

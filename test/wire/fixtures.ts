import derivedPackages from './derived/packages.json' with { type: 'json' };
import type { Package, FixtureOptions } from './replay.ts';

/** Servers that the commands of a recording are given to: the first whose `of` fits a command, which none but the last lacks. */
export type Fixtures = readonly (FixtureOptions & { readonly of?: RegExp })[];

const delve = (version: string): Package => ({ id: 'delve', version, tags: ['delve', 'debugger'] });
const lowerAndUpper: readonly Package[] = [
  ...['1.0.0', '1.5.0', '2.0.0'].map((version) => ({ id: 'lower', version })),
  ...['1.0.0', '1.1.0-beta1', '1.1.0-beta.1'].map((version) => ({
    id: 'upper',
    version,
    dependencies: [{ id: 'lower', range: '[1.0.0,2.0.0)' }],
  })),
];
const fixver = ['0.12.0', '0.12.0.1'].map((version) => ({ id: 'fixver', version }));
const many = Array.from({ length: 250 }, (_, patch) => ({ id: 'many', version: `1.0.${patch}` }));
const manyIds: readonly Package[] = Array.from({ length: 2500 }, (_, at) => ({
  id: `many.${String(at).padStart(4, '0')}`,
  version: '1.0.0',
  tags: [`t${at % 10}`],
}));
const dependent = (id: string, on: string, range: string): Package => ({
  id,
  version: '1.0.0',
  dependencies: [{ id: on, range }],
});

const chocoExtras: readonly Package[] = [
  { id: 'rich', version: '1.0.0', title: 'Rich', tags: ['debugger'], projectUrl: 'https://example.com/rich' },
  dependent('anydep', 'lower', ''),
  dependent('exactdep', 'lower', '[1.0.0]'),
  dependent('grpdep', 'lower', '1.0.0'),
  dependent('baddep', 'nosuchdep', '1.0.0'),
  dependent('predep', 'preonly', '0.1.0-alpha.1'),
  ...['0.1.0-alpha.2', '0.1.0-alpha.10'].map((version) => ({ id: 'preonly', version })),
  { id: 'my.Pkg-name_x', version: '1.0' },
  { id: 'mytool', version: '1.0.0' },
  { id: 'tagged', version: '1.0.0', tags: ['Cloud', 'CLI', 'devtool', 'c#'] },
  { id: 'cpptool', version: '1.0.0', tags: ['c++'] },
];

/** What the clients of NuGet and PowerShell were tried on (README.md). */
const nuget: readonly Package[] = [
  ...['1.21.2', '1.22.0', '1.23.0-beta.1'].map(delve),
  ...lowerAndUpper,
  ...fixver,
  { id: 'meta', version: '1.0.0+build.5' },
  { id: 'part.list', version: '1.0.0' },
  { id: 'part.list', version: '2.0.0' },
  { id: 'part.list', version: '3.0.0', unlisted: true },
  { id: 'all.gone', version: '1.0.0', unlisted: true },
  { id: 'Mixed.Case', version: '1.0.0-RC1' },
];
const dotnetPacked: readonly Package[] = [
  { id: 'Lib.Net', version: '1.0.0' },
  { id: 'Full.Meta', version: '1.2.0', description: 'Full metadata.' },
  { id: 'Tiny.Tool', version: '1.0.0', packageTypes: [{ name: 'DotnetTool' }] },
];
const module = (id: string, versions: readonly string[], tag = 'ModTag'): readonly Package[] =>
  versions.map((version) => ({
    id,
    version,
    tags: [
      'PSModule',
      tag,
      'PSIncludes_Function',
      'PSFunction_Get-One',
      'PSCommand_Get-One',
      'PSCommand_Get-Two',
    ],
  }));
const published = ['1.0.0', '1.1.0', '1.2.0-beta1'];
const modules: readonly Package[] = [
  ...['Mod.open.v3', 'Mod.open.v2', 'Mod.open.api', 'Mod.ns', 'PMod.open'].flatMap((id) =>
    module(id, published),
  ),
  ...module('PMod.a', ['1.0.0', '1.1.0'], 'CmdTag'),
  ...module('PMod.b', ['1.0.0']).map((one) => ({ ...one, dependencies: [{ id: 'PMod.a', range: '1.0.0' }] })),
  ...Array.from({ length: 300 }, (_, minor) => ({
    id: 'versions',
    version: minor % 3 === 0 ? `1.${minor}.0-beta.${minor}` : `1.${minor}.0`,
  })),
];
/** Taken away by a command: `delete` names both. */
const deleted = (...ids: readonly string[]): readonly Package[] =>
  ids.map((id) => ({ id, version: '1.0.0' }));

export const fixtures: Readonly<Record<string, Fixtures>> = {
  'choco-0.10.15-basic': [{ packages: [delve('1.22.0')], settings: { readAuth: 'feed' } }],
  'choco-0.10.15': [
    { packages: [delve('1.21.2'), ...lowerAndUpper], from: { 'outdated -s URL': [delve('1.22.0')] } },
  ],
  'choco-0.10.15-many': [
    { packages: [...many, ...lowerAndUpper, { id: 'tagged', version: '1.0.0', tags: ['Cloud', 'CLI'] }] },
  ],
  'chocolatey-choco-0.1.7': [
    { packages: [{ id: 'tool', version: '1.0.0', tags: ['Sample'] }, ...lowerAndUpper] },
  ],
  'nuget-5.8': [{ packages: [delve('1.21.2'), delve('1.22.0'), ...lowerAndUpper] }],
  'derived/choco-1.x': [{ packages: derivedPackages }],
  'derived/nuget-5.x': [{ packages: derivedPackages }],
  'choco-2.7.3': [
    {
      of: /READ_AUTH=feed/,
      packages: [delve('1.22.0'), ...lowerAndUpper, { id: 'pushme', version: '1.0.4' }],
      settings: { readAuth: 'feed' },
    },
    { of: /2,500 packages/, packages: [], rows: manyIds },
    { of: /empty feed/, packages: [] },
    {
      of: /\((lower 1\.5\.0 |1\.5\.0 )?unlisted\)/,
      packages: lowerAndUpper.map((one) => (one.version === '1.5.0' ? { ...one, unlisted: true } : one)),
    },
    {
      packages: [delve('1.21.2'), ...lowerAndUpper, { id: 'pushme', version: '1.0.2' }],
      settings: { maxPackageBytes: 2 * 1024 ** 2 },
      keys: {
        'key for bank-* only': { scopes: ['push'], ids: ['bank-*'] },
        'key push:beta': { scopes: ['push:beta'] },
      },
      from: {
        'choco outdated -s URL': [delve('1.22.0')],
        'choco search --limit-output -s URL': [
          ...fixver,
          { id: 'pushvis', version: '1.0.0' },
          { id: 'fourpart', version: '1.0.0.1' },
        ],
        'choco search many --exact --all-versions -s URL': many,
        'choco info rich -s URL': chocoExtras,
      },
    },
  ],
  'nuget-6.13': [
    {
      of: /READ_AUTH=feed/,
      packages: [...nuget, ...dotnetPacked, ...deleted('c.auth.v3', 'c.auth.v2')],
      settings: { readAuth: 'feed' },
    },
    { packages: [...nuget, ...dotnetPacked, ...deleted('c.open.v3', 'c.open.v2')] },
  ],
  'dotnet-10': [
    {
      of: /READ_AUTH=feed/,
      packages: [...nuget, ...dotnetPacked, ...deleted('b.auth.v3', 'b.auth.v2')],
      settings: { readAuth: 'feed' },
    },
    { packages: [...nuget, ...deleted('b.open.v3', 'b.open.v2')] },
  ],
  'nuget-protocol': [
    {
      of: /READ_AUTH=feed/,
      packages: [...nuget, ...deleted('np.800.v3.auth', 'np.800.v2.auth')],
      settings: { readAuth: 'feed' },
    },
    {
      packages: [
        ...nuget,
        ...dotnetPacked,
        dependent('any.dep', 'lower', ''),
        { id: 'empty.group', version: '1.0.0' },
        { id: 'url.meta', version: '1.0.0', licenseUrl: 'https://example.com/license' },
        ...['800', '790', '670', '570'].flatMap((np) => deleted(`np.${np}.v3.open`, `np.${np}.v2.open`)),
      ],
    },
  ],
  psresourceget: [
    {
      of: /READ_AUTH=feed/,
      packages: [
        ...nuget,
        ...['Mod.auth.v3', 'Mod.auth.v2', 'PMod.auth'].flatMap((id) => module(id, published)),
      ],
      settings: { readAuth: 'feed' },
    },
    { of: /2,?500|many\.\*/, packages: module('Mod.open.v2', ['1.0.0']), rows: manyIds },
    { packages: [...nuget, ...modules] },
  ],
};

import type { BenchPackage } from './packages.ts';

/** One operation: the addresses that are asked in turn, varied over many ids, and the peer's spelling of them where it has one. */
export type Row = {
  readonly name: string;
  readonly paths: (packages: readonly BenchPackage[]) => string[];
  readonly peerPaths?: (packages: readonly BenchPackage[]) => string[];
};

const words = [
  'linter',
  'debug',
  'format',
  'compiler',
  'profile',
  'trace',
  'bundler',
  'release',
  'server',
  'proxy',
];

export const rows: readonly Row[] = [
  {
    name: 'FindPackagesById',
    paths: (packages) =>
      spread(packages).map(({ id }) => `/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`),
    peerPaths: (packages) =>
      spread(packages).map(({ id }) => `/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`),
  },
  {
    name: 'Packages(Id,Version)',
    paths: (packages) =>
      spread(packages).map(({ id, version }) => `/nuget/Packages(Id='${id}',Version='${version}')`),
    peerPaths: (packages) =>
      spread(packages).map(({ id, version }) => `/Packages(Id='${id}',Version='${version}')`),
  },
  {
    name: 'newest by id filter',
    paths: (packages) => spread(packages).map(({ id }) => newest('/nuget', id)),
    peerPaths: (packages) => spread(packages).map(({ id }) => newest('', id)),
  },
  {
    name: 'Search, 30 results',
    paths: () =>
      words.map(
        (word) =>
          `/nuget/Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm='${word}'&targetFramework=''&includePrerelease=false&$skip=0&$top=30&semVerLevel=2.0.0`,
      ),
    peerPaths: () => words.map((word) => `/Packages()?$filter=substringof('${word}',tolower(Id))`),
  },
  {
    name: 'download, 4 KB',
    paths: (packages) => spread(packages).map(({ id, version }) => `/nuget/package/${id}/${version}`),
    peerPaths: (packages) => spread(packages).map(({ id }) => `/download/${id}`),
  },
];

/** 200 packages from all over the list. */
function spread(packages: readonly BenchPackage[]): BenchPackage[] {
  const step = Math.max(1, Math.floor(packages.length / 200));
  return packages.filter((_, n) => n % step === 0);
}

function newest(base: string, id: string): string {
  return `${base}/Packages()?$filter=(tolower(Id)%20eq%20'${id}')%20and%20IsLatestVersion&semVerLevel=2.0.0`;
}

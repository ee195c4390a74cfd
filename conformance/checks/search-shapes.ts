import { keyOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { quote, stable } from '../samples.ts';
import { demand } from '../verdict.ts';
import { short } from './filters.ts';

const level2 = 'semVerLevel=2.0.0';

export function chocoPath(term: string): string {
  return `/Search()?$filter=IsLatestVersion&$orderby=Id&searchTerm=${quote(term)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30&${level2}`;
}

/** One search in the words of each client; all must find the package. */
export function searchShapes(): Check[] {
  const all: readonly [string, string, Check['level'], string, (id: string) => string][] = [
    ['choco-2', '4.1', 'must', 'choco 2.x search', chocoPath],
    [
      'choco-1',
      '5',
      'must',
      'choco 1.x/0.10.15 search',
      (id) =>
        `/Search()?$filter=IsLatestVersion&$skip=0&$top=30&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false`,
    ],
    [
      'choco-0.10.15-by-id',
      '18.2',
      'must',
      'choco 0.10.15 search --by-id-only',
      (id) =>
        `/Search()?$filter=substringof(%27${id.toLowerCase()}%27,tolower(Id))%20and%20IsLatestVersion&$skip=0&$top=30&searchTerm='${id}'&targetFramework=''&includePrerelease=false`,
    ],
    [
      'by-id-only',
      '4.1',
      'must',
      'choco 2.x search --by-id-only',
      (id) =>
        `/Search()?$filter=(substringof('${id.toLowerCase()}',tolower(Id)))%20and%20IsLatestVersion&$orderby=Id&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30&${level2}`,
    ],
    [
      'id-starts-with',
      '4.1',
      'must',
      'choco 2.x search --id-starts-with',
      (id) =>
        `/Search()?$filter=(startswith(tolower(Id),'${id.toLowerCase()}'))%20and%20IsLatestVersion&$orderby=Id&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30&${level2}`,
    ],
    [
      'popularity',
      '4.1',
      'must',
      'choco search --order-by-popularity',
      (id) =>
        `/Search()?$filter=IsLatestVersion&$orderby=DownloadCount%20desc,Id&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30&${level2}`,
    ],
    [
      'nuget-search',
      '6',
      'must',
      'nuget.exe 5 search sends no $orderby',
      (id) =>
        `/Search()?$filter=IsLatestVersion&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=20&${level2}`,
    ],
    [
      'power-shell-get',
      '7',
      'must',
      'PowerShellGet Find-Module',
      (id) =>
        `/Search()?$filter=IsLatestVersion&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=40`,
    ],
    [
      'target-framework',
      '6',
      'must',
      'nuget.exe restore and install send frameworks, pipe encoded',
      (id) =>
        `/Search()?$filter=IsLatestVersion&searchTerm=${quote(id)}&targetFramework='net45%7Cnetcoreapp1.0'&includePrerelease=false&$skip=0&$top=30`,
    ],
    [
      'without-parentheses',
      '3',
      'must',
      'hand-written clients',
      (id) =>
        `/Search?$filter=IsLatestVersion&searchTerm=${quote(id)}&targetFramework=''&includePrerelease=false&$skip=0&$top=30`,
    ],
    [
      'unknown-parameters',
      '8',
      'must',
      'proxies and clients add hijack=false and cache busters',
      (id) => `${chocoPath(id)}&hijack=false&packageSource=x&_=1`,
    ],
    ['other-case', '8', 'must', 'the term is typed in any case', (id) => chocoPath(id.toUpperCase())],
    [
      'select',
      '8',
      'should',
      'mirrors ask for a few properties by $select',
      (id) => `${chocoPath(id)}&$select=Id,Version`,
    ],
  ];
  return all.map(([name, section, level, breaks, path]) => ({
    id: `search/${name}`,
    section,
    title: `${path('x').replace(/\?.*/, '')} as sent by ${breaks.split(' sends')[0]} finds the id`,
    level,
    breaks,
    async run({ feed, samples }) {
      const { entry } = stable(samples);
      const page = await feed.page(path(entry.id));
      const found = page.entries.find(({ id }) => id.toLowerCase() === entry.id.toLowerCase());
      demand(
        found !== undefined,
        page,
        `${entry.id} among the results`,
        short(page.entries.map(({ id }) => id)),
      );
      if (path('x').includes('IsLatestVersion')) {
        demand(keyOf(found) === keyOf(entry), page, keyOf(entry), keyOf(found));
      }
    },
  }));
}

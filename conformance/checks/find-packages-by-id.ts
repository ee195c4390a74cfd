import { propertyOf } from '../../formats/atom-page.ts';
import { isTrue, keysOf } from '../atom.ts';
import type { Check } from '../check.ts';
import { quote, stable, unlisted } from '../samples.ts';
import { demand } from '../verdict.ts';
import { statusLine } from '../wire/answer.ts';

const level2 = 'semVerLevel=2.0.0';

/** All versions of one id: what every install with dependencies goes through (spec nuget-v2 4.3, 7, 15). */
export const findPackagesByIdChecks: readonly Check[] = [
  ...(["id='zz-no-such-package'", "id=''"] as const).map(
    (query): Check => ({
      id: query === "id=''" ? 'find-packages-by-id/empty-id' : 'find-packages-by-id/unknown-id',
      section: '1',
      title: `${query} answers 200 with an empty feed`,
      level: 'must',
      breaks: 'choco 2.x and nuget.exe 5: any other status, 404 too, is fatal for the whole command',
      async run({ feed }) {
        const answer = await feed.ask(`/FindPackagesById()?${query}&${level2}`);
        demand(answer.status === 200, answer, 'status 200', statusLine(answer));
        const page = await feed.page(`/FindPackagesById()?${query}&${level2}`);
        demand(page.root.name === 'feed', page, 'a feed', page.root.name);
        demand(page.entries.length === 0, page, 'no entry', `${page.entries.length} entries`);
      },
    }),
  ),
  {
    id: 'find-packages-by-id/only-that-id',
    section: '15',
    title: 'only entries of exactly that id',
    level: 'must',
    breaks: 'choco installs the wrong package (chocolatey-archive#557)',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const page = await feed.page(`/FindPackagesById()?id=${quote(sample.id)}&${level2}`);
      const others = page.entries
        .filter(({ id }) => id.toLowerCase() !== sample.id.toLowerCase())
        .map(({ id }) => id);
      demand(page.entries.length > 0, page, `entries of ${sample.id}`, 'none');
      demand(
        others.length === 0,
        page,
        `entries of ${sample.id} alone`,
        `also ${[...new Set(others)].join(', ')}`,
      );
    },
  },
  ...spellings(),
  {
    id: 'find-packages-by-id/unlisted-stay',
    section: '1',
    title: 'unlisted versions stay in it',
    level: 'should',
    breaks: 'nuget restore and choco dependencies on that exact version fail (NuGet.Server PR#41)',
    async run({ feed, samples, push }) {
      const id = push?.fixtures.withdrawn[0]?.id ?? unlisted(samples).sample.id;
      const version = push?.fixtures.withdrawn[0]?.version ?? unlisted(samples).entry.version;
      const pages = await feed.pages(`/FindPackagesById()?id=${quote(id)}&${level2}`);
      const versions = pages.flatMap(({ entries }) => entries).map((entry) => entry.version);
      demand(
        versions.includes(version),
        pages[0] ?? { request: '' },
        `${id} ${version}, unlisted`,
        versions.join(', ') || 'nothing',
      );
    },
  },
  {
    id: 'find-packages-by-id/everything-pushed',
    section: '4.3',
    title: 'every version that was pushed is in it, each once',
    level: 'must',
    breaks: 'choco cannot install what is there',
    needs: 'push',
    async run({ feed, push, samples }) {
      for (const { id } of samples.all) {
        const withdrawn =
          push?.fixtures.withdrawn.filter((recipe) => recipe.id === id).map(({ version }) => version) ?? [];
        const expected =
          push?.fixtures.recipes.filter(
            (recipe) => recipe.id === id && !withdrawn.includes(recipe.version),
          ) ?? [];
        if (expected.length === 0) continue;
        const pages = await feed.pages(`/FindPackagesById()?id=${quote(id)}&${level2}`);
        const entries = pages
          .flatMap((page) => page.entries)
          .filter(({ version }) => !withdrawn.includes(version));
        const keys = new Set(keysOf(entries));
        const first = pages[0] ?? { request: '' };
        demand(
          keys.size === entries.length,
          first,
          'each version once',
          `${entries.length} entries, ${keys.size} versions`,
        );
        demand(keys.size === expected.length, first, `${expected.length} versions of ${id}`, `${keys.size}`);
      }
    },
  },
  {
    id: 'find-packages-by-id/filter-applies',
    section: '7',
    title: '$filter applies: Id eq and IsLatestVersion eq true give one entry',
    level: 'must',
    breaks: 'PSResourceGet takes the first entry of Find-PSResource -Name as the newest',
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const query = formEncode({
        $filter: `Id eq '${sample.id}' and IsLatestVersion eq true`,
        $inlinecount: 'allpages',
        id: `'${sample.id}'`,
      });
      const page = await feed.page(`/FindPackagesById()?${query}`);
      const found = page.entries.map(({ version }) => version).join(', ');
      demand(page.entries.length === 1, page, 'one entry', found || 'none');
      demand(
        page.entries.every((entry) => isTrue(entry, 'IsLatestVersion')),
        page,
        'the latest version',
        found,
      );
    },
  },
  {
    id: 'find-packages-by-id/normalized-version',
    section: '7',
    title: "NormalizedVersion eq '...' finds the version",
    level: 'should',
    breaks: 'PSResourceGet -Version finds nothing',
    async run({ feed, samples }) {
      const { sample, entry } = stable(samples);
      const normalized = propertyOf(entry, 'NormalizedVersion') || entry.version;
      const filter = `Id eq '${sample.id}' and NormalizedVersion eq '${normalized}'`;
      const page = await feed.page(
        `/FindPackagesById()?${formEncode({ $filter: filter, id: `'${sample.id}'` })}`,
      );
      demand(
        keysOf(page.entries).join() === keysOf([entry]).join(),
        page,
        `${sample.id} ${normalized} alone`,
        keysOf(page.entries).join(', ') || 'nothing',
      );
    },
  },
];

/** One question in all the ways in which clients write it. */
function spellings(): Check[] {
  const ways: readonly [name: string, breaks: string, level: Check['level'], path: (id: string) => string][] =
    [
      [
        'without-parentheses',
        'CCR next links and hand-written clients leave () away',
        'must',
        (id) => `/FindPackagesById?id='${id}'&${level2}`,
      ],
      [
        'encoded-quotes',
        'choco 0.10.15 and PSResourceGet send quotes as %27',
        'must',
        (id) => `/FindPackagesById()?id=%27${id}%27&${level2}`,
      ],
      [
        'lower-case',
        'choco asks for dependencies in lower case',
        'must',
        (id) => `/FindPackagesById()?id='${id.toLowerCase()}'&${level2}`,
      ],
      [
        'upper-case',
        'ids are typed in any case',
        'must',
        (id) => `/FindPackagesById()?id='${id.toUpperCase()}'&${level2}`,
      ],
      [
        'double-slash',
        'PSResourceGet appends /FindPackagesById() to a source that ends with a slash',
        'must',
        (id) => `//FindPackagesById()?id='${id}'&${level2}`,
      ],
      [
        'unquoted',
        'scripts in the manner of ADO feeds send id=x',
        'should',
        (id) => `/FindPackagesById()?id=${id}&${level2}`,
      ],
      [
        'encoded-names',
        'PSResourceGet form-encodes the names too: %24skip',
        'must',
        (id) => `/FindPackagesById()?%24skip=0&%24top=1000&id='${id}'&${level2}`,
      ],
      [
        'function-case',
        'hand-written clients; WCF servers take one case, others any',
        'may',
        (id) => `/findpackagesbyid()?id='${id}'&${level2}`,
      ],
    ];
  return ways.map(([name, breaks, level, path]) => ({
    id: `find-packages-by-id/${name}`,
    section: name.includes('encoded') || name === 'double-slash' ? '7' : '3',
    title: `${path('x')} gives the same versions`,
    level,
    breaks,
    async run({ feed, samples }) {
      const { sample } = stable(samples);
      const plain = keysOf((await feed.page(`/FindPackagesById()?id='${sample.id}'&${level2}`)).entries);
      const page = await feed.page(path(sample.id));
      demand(
        keysOf(page.entries).join() === plain.join(),
        page,
        `the ${plain.length} versions of ${sample.id}`,
        `${page.entries.length} entries`,
      );
    },
  }));
}

/** As PSResourceGet writes a query: blanks become +, everything else is escaped (spec nuget-v2 7). */
export function formEncode(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}

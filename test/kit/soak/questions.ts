import { digestBytes } from '../../../formats/digest.ts';
import { latestOf, type State } from './history.ts';

/** What an answer shows of each id, as lines. */
type Shown = ReadonlyMap<string, readonly string[]>;

export type Question = {
  /** About all ids, or about the one that `path` is given. */
  readonly isAboutAll?: true;
  readonly isDownload?: true;
  readonly path: (id: string, version: string) => string;
  readonly read: (body: Buffer, id: string) => Shown;
  /** What it must show of an id in this state; nothing where the answer is 404. */
  readonly expected: (state: State, id: string, version: string) => readonly string[];
};

const newestFilter = '$filter=IsLatestVersion';

/** What clients ask, with what the answers must show. `common` is in the texts of all packages. */
export function questionsAbout(
  common: string,
  digestOf: (id: string, version: string) => string,
): Question[] {
  return [
    {
      path: (id) => `/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`,
      read: readEntries,
      expected: (state) => state.map(({ version }) => entryLine(state, version)),
    },
    {
      path: (id, version) => `/nuget/Packages(Id='${id}',Version='${version}')`,
      read: readEntries,
      expected: (state, _id, version) => linesOf(state, version),
    },
    {
      path: (id) => `/api/v2/Packages()?$filter=(tolower(Id)%20eq%20'${id}')%20and%20IsLatestVersion`,
      read: readEntries,
      expected: (state) => linesOf(state, latestOf(state)),
    },
    {
      path: (id) => `/nuget/Search()?${newestFilter}&searchTerm='${id}'&$orderby=Id&$top=30`,
      read: readEntries,
      expected: (state) => linesOf(state, latestOf(state)),
    },
    {
      isAboutAll: true,
      path: () => `/nuget/Search()?${newestFilter}&searchTerm='${common}%20what'&$orderby=Id&$top=1000`,
      read: readEntries,
      expected: (state) => linesOf(state, latestOf(state)),
    },
    {
      isAboutAll: true,
      path: () => '/v3/search?take=1000&semVerLevel=2.0.0',
      read: readHits,
      expected: listedOf,
    },
    {
      path: (id) => `/v3/search?q=${id}`,
      read: readHits,
      expected: listedOf,
    },
    {
      path: (id) => `/v3/reg/${id}/index.json`,
      read: readRegistration,
      expected: (state) => state.map(({ version, isListed }) => `${version} ${isListed}`),
    },
    {
      isDownload: true,
      path: (id, version) => `/nuget/package/${id}/${version}`,
      read: (body, id) => new Map([[id, [digestBytes(body).sha256]]]),
      expected: (state, id, version) =>
        state.some((one) => one.version === version) ? [digestOf(id, version)] : [],
    },
  ];
}

function linesOf(state: State, asked: string | undefined): string[] {
  return state.some(({ version }) => version === asked) ? [entryLine(state, asked ?? '')] : [];
}

function entryLine(state: State, version: string): string {
  const isListed = state.some((one) => one.version === version && one.isListed);
  return `${version} ${latestOf(state) === version} ${isListed}`;
}

function listedOf(state: State): string[] {
  return state.filter(({ isListed }) => isListed).map(({ version }) => version);
}

const entry =
  /<d:Id>([^<]*)<.*?<d:Version>([^<]*)<.*?<d:IsLatestVersion [^>]*>(\w+)<.*?<d:Listed [^>]*>(\w+)</gs;

/** How often each version was downloaded, as the feed says. */
export function readCounts(feed: string): ReadonlyMap<string, number> {
  const counts = /<d:Version>([^<]*)<.*?<d:VersionDownloadCount [^>]*>(\d+)</gs;
  return new Map([...feed.matchAll(counts)].map(([, version = '', count]) => [version, Number(count)]));
}

function readEntries(body: Buffer): Shown {
  const found = [...body.toString().matchAll(entry)];
  return byId(
    found.map(([, id = '', version, isLatest, isListed]) => [id, `${version} ${isLatest} ${isListed}`]),
  );
}

type Hits = { data: { id: string; versions: { version: string }[] }[] };

function readHits(body: Buffer): Shown {
  const { data } = JSON.parse(body.toString()) as Hits;
  return byId(data.flatMap(({ id, versions }) => versions.map(({ version }) => [id, version] as const)));
}

type Registration = {
  items: { items: { catalogEntry: { id: string; version: string; listed: boolean } }[] }[];
};

function readRegistration(body: Buffer): Shown {
  const { items } = JSON.parse(body.toString()) as Registration;
  const entries = items.flatMap((page) => page.items.map(({ catalogEntry }) => catalogEntry));
  return byId(entries.map(({ id, version, listed }) => [id, `${version} ${listed}`]));
}

function byId(pairs: readonly (readonly [id: string, line: string])[]): Shown {
  const found = new Map<string, string[]>();
  for (const [id, line] of pairs) found.set(id, [...(found.get(id) ?? []), line]);
  return found;
}

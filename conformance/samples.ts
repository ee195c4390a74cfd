import { isPrerelease, isSemVer1Readable, isSemVer2 } from '../formats/nuget-version.ts';
import { type Entry, isListed, newestOf } from './atom.ts';
import type { Feed } from './feed.ts';
import { NotShown, skip, Violation } from './verdict.ts';

/** One id of the feed with all its versions, as FindPackagesById gives them to a client of SemVer 2. */
export type Sample = { readonly id: string; readonly entries: readonly Entry[] };

export type Samples = {
  readonly all: readonly Sample[];
  /** Every id that was seen on the way, also those whose versions were not read. */
  readonly ids: readonly string[];
};

/** More tell no more, and a slow feed must not be asked for hours. */
const maxSamples = 12;

/** What a feed of strangers can be asked for its packages; the first that answers is enough, the others add. */
const browsing = [
  "/Search()?$filter=IsAbsoluteLatestVersion&$orderby=Id&searchTerm=''&targetFramework=''&includePrerelease=true&$skip=0&$top=100&semVerLevel=2.0.0",
  '/Packages()?$filter=IsPrerelease&$top=20&semVerLevel=2.0.0',
  '/Packages()?$top=100&semVerLevel=2.0.0',
  "/Packages()?$filter=((Id%20ne%20null)%20and%20substringof('e',tolower(Id)))&$orderby=Id&$skip=0&$top=30&semVerLevel=2.0.0",
  "/Packages()?$filter=((Id%20ne%20null)%20and%20substringof('a',tolower(Id)))&$orderby=Id&$skip=0&$top=30&semVerLevel=2.0.0",
];

/** Finds packages to check with. Never fails: what cannot be read is not there, and the checks say what it would have shown. */
export async function discover(feed: Feed, wanted: readonly string[]): Promise<Samples> {
  const seen = new Map<string, Entry[]>();
  const note = (entries: readonly Entry[]): void => {
    for (const entry of entries.filter(({ id }) => id !== '')) {
      const key = entry.id.toLowerCase();
      seen.set(key, [...(seen.get(key) ?? []), entry]);
    }
  };
  for (const path of wanted.length > 0 ? [] : browsing) {
    note((await readable(async () => [await feed.page(path)])).flatMap(({ entries }) => entries));
  }
  const ids = wanted.length > 0 ? [...wanted] : choose(seen);
  const all: Sample[] = [];
  for (const id of ids) {
    const entries = await readVersions(feed, id);
    const found = entries.length > 0 ? entries : (seen.get(id.toLowerCase()) ?? []);
    if (found[0] !== undefined) all.push({ id: found[0].id, entries: found });
  }
  return {
    all,
    ids: [
      ...new Set([...all.map(({ id }) => id), ...[...seen.values()].flatMap(([entry]) => entry?.id ?? [])]),
    ],
  };
}

/** Those that show most first: prereleases, many versions seen, one id within another. */
function choose(seen: ReadonlyMap<string, readonly Entry[]>): string[] {
  const ids = [...seen.keys()];
  const worth = (id: string): number => {
    const entries = seen.get(id) ?? [];
    const hasPrerelease = entries.some(({ parsed }) => parsed !== undefined && isPrerelease(parsed));
    const isWithin = ids.some((other) => other !== id && other.includes(id));
    return Number(hasPrerelease) * 2 + Number(isWithin) * 2 + Math.min(entries.length, 3);
  };
  return ids.sort((a, b) => worth(b) - worth(a) || (a < b ? -1 : 1)).slice(0, maxSamples);
}

async function readVersions(feed: Feed, id: string): Promise<Entry[]> {
  const quoted = quote(id);
  const paths = [
    `/FindPackagesById()?id=${quoted}&semVerLevel=2.0.0`,
    `/Packages()?$filter=tolower(Id)%20eq%20${quote(id.toLowerCase())}&semVerLevel=2.0.0`,
  ];
  for (const path of paths) {
    const entries = (await readable(() => feed.pages(path, { isLenient: true })))
      .flatMap((page) => page.entries)
      .filter((entry) => entry.id.toLowerCase() === id.toLowerCase());
    if (entries.length > 0) return entries;
  }
  return [];
}

async function readable<T>(read: () => Promise<T[]>): Promise<T[]> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Violation || error instanceof NotShown) return [];
    throw error;
  }
}

/** As clients write a value into a query: quotes doubled, percent-encoded (spec nuget-v2 section 4). */
export function quote(text: string): string {
  return `'${encodeURIComponent(text).replaceAll("'", "''")}'`;
}

type Picked = { readonly sample: Sample; readonly entry: Entry };

/** The first sample whose versions hold what is asked for. @throws NotShown with what the feed would need */
export function pick(
  { all }: Samples,
  what: string,
  find: (sample: Sample) => Entry | undefined | false,
): Picked {
  for (const sample of all) {
    const entry = find(sample);
    if (entry) return { sample, entry };
  }
  return skip(
    all.length === 0 ? 'no package could be read' : `no ${what} among the ${all.length} ids that were read`,
  );
}

/** The newest version that every client may be offered; undefined when there is none. */
export function newestStable({ entries }: Sample): Entry | undefined {
  return newestOf(listedStable(entries));
}

/** The newest listed stable version of an id, one with several versions if there is one. */
export function stable(samples: Samples): Picked {
  const several = { ...samples, all: [...samples.all].sort((a, b) => score(b) - score(a)) };
  return pick(several, 'listed stable version that choco 1.x can read', newestStable);
}

function score({ entries }: Sample): number {
  return entries.length > 1 && entries.length <= 60 ? 1 : 0;
}

export function listedStable(entries: readonly Entry[]): Entry[] {
  return entries.filter(
    (entry) =>
      isListed(entry) &&
      entry.parsed !== undefined &&
      !isPrerelease(entry.parsed) &&
      isSemVer1Readable(entry.parsed),
  );
}

export function unlisted(samples: Samples): Picked {
  return pick(samples, 'unlisted version', ({ entries }) => entries.find((entry) => !isListed(entry)));
}

export function semVer2(samples: Samples): Picked {
  return pick(samples, 'SemVer 2 version', ({ entries }) =>
    entries.find(({ parsed }) => parsed !== undefined && isSemVer2(parsed)),
  );
}

export function listedSemVer2(samples: Samples): Picked {
  return pick(samples, 'listed SemVer 2 version', ({ entries }) =>
    entries.find((entry) => entry.parsed !== undefined && isSemVer2(entry.parsed) && isListed(entry)),
  );
}

export function prerelease(samples: Samples): Picked {
  return pick(samples, 'listed prerelease', ({ entries }) =>
    entries.find((entry) => entry.parsed !== undefined && isPrerelease(entry.parsed) && isListed(entry)),
  );
}

/** An id of more than a page of versions (spec nuget-v2 9.7). */
export function many(samples: Samples): Picked {
  return pick(samples, 'id with more than 100 versions', ({ entries }) => entries.length > 100 && entries[0]);
}

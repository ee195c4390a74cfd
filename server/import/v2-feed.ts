import { FormatError, visible } from '../../formats/format-error.ts';
import { normalizeVersion } from '../../formats/nuget-version.ts';
import { readV2Page, type V2Entry, type V2Page } from '../../formats/v2-page.ts';
import { FeedError, fail } from '../errors.ts';
import { matchesGlob } from '../keys/glob.ts';
import { inParallel } from './in-parallel.ts';
import { isExact, type RemotePackage, type SkippedPackage, type Source } from './source.ts';
import { isUnreachable, refuse, refusePage, shown, type Web } from './web.ts';

/** One page without anything new may be an accident; this many in a row mean that the source leads in circles. */
const maxStalePages = 5;
/** The source's list is kept in memory until it is known what to import: about 1 KB per version. */
const maxListedVersions = 500_000;
/** No known feed returns smaller pages without a next link. */
const smallestPage = 20;

type Item = RemotePackage | SkippedPackage;

/**
 * Another v2 feed (spec nuget-v2 9): NuGet.Server, ProGet, Nexus, Artifactory, Gitea or this product. `base` is the address that
 * clients use as their source. If a server does not support something (semVerLevel, a function), another request is used.
 */
export function createV2Source(
  web: Web,
  base: URL,
  { parallel = 8, maxVersions = maxListedVersions } = {},
): Source {
  const root = new URL(base);
  root.pathname = root.pathname.replace(/\/*$/, '/');
  root.search = '';

  async function* list(globs: readonly string[]): AsyncGenerator<Item> {
    if (globs.length > 0 && globs.every(isExact)) {
      yield* inParallel(globs, parallel, (id) => readId(id, 'named'));
      return;
    }
    const fits = (id: string) => globs.length === 0 || globs.some((glob) => matchesGlob(glob, id));
    const whole: Item[] = [];
    const ids = new Map<string, string>();
    let showsUnlisted = false;
    for await (const item of readAll(wholeLists, shown(root))) {
      if ('reason' in item) {
        whole.push(item);
      } else if (fits(item.id)) {
        whole.push(item);
        ids.set(item.id.toLowerCase(), item.id);
        showsUnlisted ||= !item.isListed;
      }
    }
    yield* whole;
    // Many servers leave unlisted versions out of Packages() but list them under their id. Versions found twice count once.
    if (!showsUnlisted) yield* inParallel([...ids.values()], parallel, (id) => readId(id, 'met'));
  }

  /** All versions of one id; a fault in one id must not stop the others. */
  async function readId(id: string, from: 'named' | 'met'): Promise<Item[]> {
    try {
      const items: Item[] = [];
      for await (const item of readAll(listsOf(id), id)) {
        if ('reason' in item || item.id.toLowerCase() === id.toLowerCase()) items.push(item);
      }
      const isMissing = from === 'named' && items.length === 0;
      return isMissing
        ? [{ from: id, kind: 'failed', reason: 'the source has no package of this id' }]
        : items;
    } catch (error) {
      if (from === 'met' && isRefusal(error)) return [];
      if (!(error instanceof FeedError) || isUnreachable(error)) throw error;
      return [{ from: id, kind: 'failed', reason: error.message }];
    }
  }

  /** The pages of the first of these lists that the source supports. */
  async function* readAll(lists: readonly string[], subject: string): AsyncGenerator<Item> {
    const [first, url] = await firstOf(lists);
    const seen = new Set<string>();
    const visited = new Set<string>();
    let count = 0;
    let stale = 0;
    let [page, address]: [V2Page | undefined, URL] = [first, url];
    while (page !== undefined) {
      visited.add(address.href);
      const fresh = page.entries.filter((entry) => isFresh(entry, seen));
      yield* page.unnamed.map((name) => unnamedEntry(address, name));
      yield* fresh.map(toOffer);
      count += page.entries.length;
      stale = fresh.length > 0 ? 0 : stale + 1;
      const next: URL | undefined = page.next ?? skipped(page, url, count);
      if (next === undefined) return;
      if (page.next === undefined && stale > 0) {
        yield {
          from: subject,
          kind: 'skipped',
          // Not certainly wrong: a server that returns everything at once looks the same.
          reason: `the source does not support paging here; if it has more than these ${seen.size} versions, the others cannot be imported`,
        };
        return;
      }
      if (seen.size > maxVersions) {
        const problem = `it has more than ${maxVersions} versions; name ids with --id`;
        fail('SOURCE_TOO_LARGE', { url: shown(url), problem });
      }
      if (stale >= maxStalePages || visited.has(next.href)) {
        fail('SOURCE_STRANGE', { url: shown(next), problem: 'its pages lead in circles' });
      }
      if (next.hostname !== url.hostname) {
        fail('SOURCE_STRANGE', { url: shown(url), problem: `its next page is on ${visible(next.host)}` });
      }
      address = next;
      page = await readPage(next);
    }
  }

  /** If there is no next link but the page is full, the rest may be available by $skip. */
  function skipped({ entries }: V2Page, url: URL, count: number): URL | undefined {
    return entries.length < smallestPage
      ? undefined
      : new URL(`${url.href}${url.search ? '&' : '?'}$skip=${count}`);
  }

  async function firstOf(lists: readonly string[]): Promise<[V2Page, URL]> {
    let refusal: { readonly status: number; readonly url: URL } | undefined;
    for (const list of lists) {
      const url = new URL(`${root.href}${list}`);
      const { status, text, url: from } = await web.read(url);
      if (status === 200) return [parse(text, from), from];
      refusal ??= { status, url };
      if (status === 401 || status === 403) break;
    }
    const hint = lists === wholeLists ? '. It may have no list of everything: name ids with --id.' : '.';
    return refuse(refusal?.status ?? 404, refusal?.url ?? root, hint);
  }

  async function readPage(url: URL): Promise<V2Page> {
    const { status, text, url: from } = await web.read(url);
    return status === 200 ? parse(text, from) : refuse(status, url);
  }

  function toOffer({ content, hash, ...entry }: V2Entry): RemotePackage {
    const spelled = normalizeVersion(entry.version);
    const url = content ?? new URL(`${root.href}package/${entry.id}/${encodeURIComponent(spelled)}`);
    return { ...entry, from: shown(url), hash: async () => hash, open: () => web.open(url) };
  }

  return { list };
}

/** From the request with most information to the one that the simplest servers support. */
const wholeLists = ['Packages()?semVerLevel=2.0.0', 'Packages()', 'Packages'];

function listsOf(id: string): readonly string[] {
  const name = encodeURIComponent(id);
  const filter = encodeURIComponent(`tolower(Id) eq '${id.toLowerCase()}'`);
  return [
    `FindPackagesById()?id='${name}'&semVerLevel=2.0.0`,
    `FindPackagesById()?id='${name}'`,
    `Packages()?$filter=${filter}`,
  ];
}

function isFresh({ id, version }: V2Entry, seen: Set<string>): boolean {
  const key = `${id} ${normalizeVersion(version)}`.toLowerCase();
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function unnamedEntry(url: URL, name: string): SkippedPackage {
  return { from: shown(url), kind: 'refused', reason: `an entry that names no package: ${name}` };
}

function isRefusal(error: unknown): boolean {
  return error instanceof FeedError && error.code === 'SOURCE_REFUSED';
}

function parse(text: string, url: URL): V2Page {
  refusePage(text, url);
  try {
    return readV2Page(text, url);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return fail('SOURCE_STRANGE', { url: shown(url), problem: error.message }, error);
  }
}

import type * as z from 'zod';
import { resolveLink } from '../../formats/feed-link.ts';
import { visible } from '../../formats/format-error.ts';
import { jsonOf } from '../../formats/json.ts';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import { isPackageId } from '../../formats/nuspec-fields.ts';
import { isListed, readDate, readHash, trueDate } from '../../formats/v2-page.ts';
import { FeedError, fail } from '../errors.ts';
import { matchesGlob } from '../keys/glob.ts';
import { inParallel } from './in-parallel.ts';
import { isExact, type RemotePackage, type SkippedPackage, type Source } from './source.ts';
import { contentOf, type Resources, resourcesOf } from './v3-resources.ts';
import {
  type Leaf,
  Registration,
  RegistrationPage,
  SearchPage,
  ServiceIndex,
  Versions,
} from './v3-schema.ts';
import { isUnreachable, refuse, shown, type Web } from './web.ts';

type Item = RemotePackage | SkippedPackage;

const searchPageSize = 100;
const maxSearchPages = 10_000;

/** Another v3 feed, by its index.json: ids from search, versions from registrations, or else from the flat container. */
export function createV3Source(web: Web, index: URL, { parallel = 8 } = {}): Source {
  async function* list(globs: readonly string[]): AsyncGenerator<Item> {
    const resources = resourcesOf(await readJson(ServiceIndex, index), index);
    const named = globs.length > 0 && globs.every(isExact);
    const ids = named ? globs : await findIds(resources, globs);
    yield* inParallel(ids, parallel, (id) => readId(resources, id));
  }

  async function findIds({ search }: Resources, globs: readonly string[]): Promise<string[]> {
    if (search === undefined) {
      fail('SOURCE_TOO_LARGE', { url: shown(index), problem: 'it has no search; name ids with --id' });
    }
    const ids = new Map<string, string>();
    let skip = 0;
    for (let page = 0; page < maxSearchPages; page++) {
      const url = new URL(search);
      for (const [name, value] of Object.entries({
        q: '',
        skip,
        take: searchPageSize,
        prerelease: true,
        semVerLevel: '2.0.0',
      })) {
        url.searchParams.set(name, String(value));
      }
      const before = ids.size;
      // Continues by what came, not by what was requested: servers return smaller pages.
      const { data } = await readJson(SearchPage, url);
      for (const { id } of data) ids.set(id.toLowerCase(), id);
      skip += data.length;
      if (ids.size === before) break;
    }
    return [...ids.values()].filter(
      (id) => globs.length === 0 || globs.some((glob) => matchesGlob(glob, id)),
    );
  }

  async function readId(resources: Resources, id: string): Promise<Item[]> {
    try {
      if (!isPackageId(id)) return [{ from: visible(id), kind: 'refused', reason: 'not a package id' }];
      const items =
        resources.registrations === undefined
          ? await readContainer(resources, id)
          : await readRegistration(resources, resources.registrations, id);
      return items ?? [{ from: id, kind: 'failed', reason: 'the source has no package of this id' }];
    } catch (error) {
      if (!(error instanceof FeedError) || isUnreachable(error)) throw error;
      return [{ from: id, kind: 'failed', reason: error.message }];
    }
  }

  async function readRegistration(
    resources: Resources,
    registrations: URL,
    id: string,
  ): Promise<Item[] | undefined> {
    const url = new URL(`${id.toLowerCase()}/index.json`, registrations);
    const registration = await findJson(Registration, url);
    if (registration === undefined) return undefined;
    const items: Item[] = [];
    for (const page of registration.items) {
      const address = resolveLink(page['@id'] ?? '', url);
      const leaves =
        page.items ?? (address === undefined ? [] : (await readJson(RegistrationPage, address)).items);
      // One by one: for a whole page at once the stack would be too small.
      for (const leaf of leaves) items.push(readLeaf(resources, leaf, url));
    }
    return items;
  }

  function readLeaf(resources: Resources, { packageContent, catalogEntry: entry }: Leaf, page: URL): Item {
    const { id, version } = entry;
    const url = resolveLink(packageContent ?? '', page) ?? contentOf(resources, id, version);
    if (!isPackageId(id) || parseNuGetVersion(version) === undefined || url === undefined) {
      return {
        from: visible(`${id} ${version}`),
        kind: 'refused',
        reason: 'a version without a usable name or address',
      };
    }
    const published = readDate(entry.published ?? undefined);
    const hash = readHash(entry.packageHash ?? undefined, entry.packageHashAlgorithm ?? undefined);
    return remotePackage(id, version, url, {
      isListed: isListed(entry.listed?.toString(), published),
      published: trueDate(published),
      sizeBytes: entry.packageSize ?? undefined,
      hash: async () => hash,
    });
  }

  /** Lists versions and nothing else: all of them count as listed. */
  async function readContainer(resources: Resources, id: string): Promise<Item[] | undefined> {
    const { container } = resources;
    if (container === undefined) {
      fail('SOURCE_STRANGE', { url: shown(index), problem: 'it has neither registrations nor packages' });
    }
    const found = await findJson(Versions, new URL(`${id.toLowerCase()}/index.json`, container));
    return found?.versions.flatMap((version) => {
      const url = contentOf(resources, id, version);
      return url === undefined
        ? []
        : [remotePackage(id, version, url, { isListed: true, hash: async () => undefined })];
    });
  }

  function remotePackage(
    id: string,
    version: string,
    url: URL,
    rest: Pick<RemotePackage, 'isListed' | 'published' | 'sizeBytes' | 'hash'>,
  ): RemotePackage {
    return { id, version, from: shown(url), open: () => web.open(url), ...rest };
  }

  async function readJson<T>(schema: z.ZodType<T>, url: URL): Promise<T> {
    return (await findJson(schema, url)) ?? refuse(404, url);
  }

  async function findJson<T>(schema: z.ZodType<T>, url: URL): Promise<T | undefined> {
    const { status, text } = await web.read(url);
    if (status === 404) return undefined;
    if (status !== 200) refuse(status, url);
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not JSON'}`;
    return fail('SOURCE_STRANGE', { url: shown(url), problem: visible(problem) });
  }

  return { list };
}

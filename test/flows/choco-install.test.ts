import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { parseNuGetRange, rangeIncludes } from '../../formats/nuget-range.ts';
import { parseNuGetVersion } from '../../formats/nuget-version.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

/** A client that knows the feed's address and how to read answers; every other address it takes from an answer, as choco 2.x does. */
describe('choco install', () => {
  let server: TestServer;
  let base: string;
  const published = new Map<string, Buffer>();

  beforeAll(async () => {
    server = await startTestServer();
    base = `${server.url}/nuget`;
    await publish('bar', '1.0.0');
    await publish('bar', '1.1.0');
    for (let patch = 0; patch <= 120; patch++) await publish('baz', `3.0.${patch}`);
    await publish(
      'foo',
      '1.2.0',
      '<dependency id="bar" version="[1.0.0]" /><dependency id="baz" version="[3.0.5,4.0.0)" />',
    );
  });
  afterAll(() => server.stop());

  async function publish(id: string, version: string, dependencies = ''): Promise<void> {
    const nupkg = makeNupkg({ id, version, metadataXml: `<dependencies>${dependencies}</dependencies>` });
    const answer = await pushNupkg(server, nupkg, server.adminKey);
    expect([answer.status, answer.statusText]).toEqual([201, 'Created']);
    published.set(`${id} ${version}`, nupkg);
  }

  it('accepts the feed as one that can do what choco needs', async () => {
    const service = await fetch(base);
    expect(service.url).toBe(base);
    expect(await service.text()).toMatch(/^<\?xml.*Packages<\/atom:title>/s);
    const metadata = await (await fetch(`${base}/$metadata`)).text();
    for (const name of ['Search', 'FindPackagesById', 'GetUpdates', 'IsAbsoluteLatestVersion'])
      expect(metadata).toContain(`Name="${name}"`);
  });

  it('installs the newest stable version with its dependencies, byte for byte as hashed and pushed', async () => {
    const root = await newest('foo');
    const installed = [...(await resolveDependencies(root)), root];

    expect(installed.map(nameOf)).toEqual(['bar 1.0.0', 'baz 3.0.120', 'foo 1.2.0']);
    for (const entry of installed) expect(await download(entry)).toEqual(published.get(nameOf(entry)));
  });

  it('upgrades to a version that is published later, but not to a beta', async () => {
    await publish('foo', '1.3.0');
    await publish('foo', '1.4.0-beta.1');

    expect(nameOf(await newest('foo'))).toBe('foo 1.3.0');
    expect(nameOf(await newest('foo', 'IsAbsoluteLatestVersion'))).toBe('foo 1.4.0-beta.1');
  });

  it('skips a withdrawn version, and still installs it by its number', async () => {
    const answer = await fetch(`${base}/foo/1.3.0`, {
      method: 'DELETE',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });

    expect(answer.ok).toBe(true);
    expect(nameOf(await newest('foo'))).toBe('foo 1.2.0');
    const [named] = await readEntries(`${base}/Packages(Id='foo',Version='1.3')`);
    expect(named?.published.getUTCFullYear()).toBe(1900);
    expect(await download(named!)).toEqual(published.get('foo 1.3.0'));
  });

  type Entry = {
    id: string;
    version: string;
    dependencies: string;
    hash: string;
    source: string;
    published: Date;
  };

  async function newest(id: string, flag = 'IsLatestVersion'): Promise<Entry> {
    const found = await readEntries(
      `${base}/Packages()?$filter=(tolower(Id)%20eq%20'${id}')%20and%20${flag}&semVerLevel=2.0.0`,
    );
    expect(found).toHaveLength(1);
    return found[0]!;
  }

  /** An exact range is looked up, any other is chosen from all versions (spec nuget-v2 4.3). */
  async function resolveDependencies(root: Entry): Promise<Entry[]> {
    const chosen: Entry[] = [];
    for (const dependency of root.dependencies.split('|')) {
      const [id, range = ''] = dependency.split(':');
      const exact = /^\[([^,]+)\]$/.exec(range)?.[1];
      const candidates =
        exact === undefined
          ? await readEntries(`${base}/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`)
          : await readEntries(`${base}/Packages(Id='${id}',Version='${exact}')`);
      const fitting = candidates.filter(({ version }) =>
        rangeIncludes(parseNuGetRange(range)!, parseNuGetVersion(version)!),
      );
      chosen.push(fitting[0]!);
    }
    return chosen;
  }

  /** All pages. A link that comes twice is fatal to NuGet.Client (spec nuget-v2 9.7). */
  async function readEntries(address: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    for (let next: string | undefined = address; next !== undefined; ) {
      expect(seen).not.toContain(next);
      seen.add(next);
      const answer: Response = await fetch(next);
      expect([next, answer.status]).toEqual([next, 200]);
      expect(answer.headers.get('content-type')).toMatch(/^application\/atom\+xml/);
      const { feed, entry } = await parseStringPromise(await answer.text());
      for (const one of entry ? [entry] : (feed.entry ?? [])) entries.push(toEntry(one));
      next = feed?.link.find(({ $ }: { $: Record<string, string> }) => $.rel === 'next')?.$.href;
    }
    return entries;
  }

  function toEntry(entry: Record<string, { $: Record<string, string> }[]>): Entry {
    const properties = entry['m:properties']?.[0] as unknown as Record<string, (string | { _: string })[]>;
    const text = (name: string): string => {
      const value = properties[`d:${name}`]?.[0];
      return typeof value === 'string' ? value : (value?._ ?? '');
    };
    return {
      id: text('Id'),
      version: text('Version'),
      dependencies: text('Dependencies'),
      hash: text('PackageHash'),
      source: entry.content?.[0]?.$.src ?? '',
      published: new Date(text('Published')),
    };
  }

  function nameOf({ id, version }: Entry): string {
    return `${id} ${version}`;
  }

  async function download({ source, hash }: Entry): Promise<Buffer> {
    const answer = await fetch(source);
    expect([source, answer.status]).toEqual([source, 200]);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(createHash('sha512').update(bytes).digest('base64')).toBe(hash);
    return bytes;
  }
});

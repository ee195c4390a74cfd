import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import type { PackageQuery } from '../../../server/catalog/query.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { createCachedResponses } from '../../../server/http/cached-responses.ts';
import { everything } from '../../contract/catalog.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

const ids = ['Alpha', 'alpha.Tool', 'Beta'] as const;
const versions = ['1.0.0', '1.1.0-beta.1', '2.0.0'] as const;

type Step = {
  readonly what: 'push' | 'unlist' | 'relist' | 'purge' | 'download';
  readonly id: (typeof ids)[number];
  readonly version: (typeof versions)[number];
};
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom('push', 'push', 'unlist', 'relist', 'purge', 'download'),
    id: fc.constantFrom(...ids),
    version: fc.constantFrom(...versions),
  }),
  { minLength: 4, maxLength: 14 },
);

describe('cached responses', () => {
  let server: TestServer;
  /** Versions that were purged can never be used again, so each run has ids of its own. */
  let run = 0;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  const named = (id: string) => `${id}-${run}`;
  const pathsOf = (id: string): readonly string[] => [
    `/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`,
    `/api/v2/FindPackagesById()/$count?id='${id}'`,
    ...versions.map((version) => `/nuget/Packages(Id='${id}',Version='${version}')`),
    `/nuget/Packages()?$filter=(tolower(Id)%20eq%20'${id.toLowerCase()}')%20and%20IsLatestVersion`,
    `/nuget/Packages()?$filter=Id%20eq%20'${id.toUpperCase()}'%20or%20IsLatestVersion&$orderby=Id`,
    `/nuget/Search()?searchTerm='${id}'&includePrerelease=true&semVerLevel=2.0.0`,
    `/nuget/package/${id}`,
    `/nuget/package/${id}/1.0.0`,
    `/v3/reg/${id.toLowerCase()}/index.json`,
    `/v3/flat/${id.toLowerCase()}/index.json`,
    `/v3/flat/${id.toLowerCase()}/2.0.0/${id.toLowerCase()}.2.0.0.nupkg`,
    `/v3/search?q=${id}&prerelease=true&semVerLevel=2.0.0`,
    `/api/v2/Search()?$filter=IsLatestVersion&searchTerm='${id}'&$orderby=Id&$top=1`,
    `/api/v2/Search()?$filter=IsAbsoluteLatestVersion&searchTerm='${id}%20a'&includePrerelease=true&$inlinecount=allpages`,
    `/v3/search?q=${id}&take=1`,
    `/v3/autocomplete?q=${id}`,
    `/v3/autocomplete?id=${id}`,
  ];

  /** What is shown but for counts, which may be some seconds old. */
  async function shown(path: string, headers: Record<string, string> = {}): Promise<string> {
    const answer = await fetch(`${server.url}${path}`, { headers });
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    const counts = /(DownloadCount[^>]*>|"(?:totalD|d)ownloads":)\d+/g;
    // a refusal of the program has the number of its request
    return `${answer.status} ${answer.status === 200 ? text.replaceAll(counts, '$1') : ''}`;
  }

  async function take({ what, id, version }: Step): Promise<void> {
    const auth = { 'X-NuGet-ApiKey': server.adminKey };
    const address = `${server.url}/nuget/package/${named(id)}/${version}`;
    if (what === 'push') {
      await pushNupkg(server, makeNupkg({ id: named(id), version }), server.adminKey);
      return;
    }
    const body = JSON.stringify({ id: named(id), version, reason: 'a test' });
    const json = { ...auth, 'Content-Type': 'application/json' };
    await {
      unlist: () => fetch(address, { method: 'DELETE', headers: auth }),
      relist: () => fetch(address, { method: 'POST', headers: auth }),
      purge: () => fetch(`${server.url}/api/v1/purges`, { method: 'POST', headers: json, body }),
      download: () => fetch(address),
    }
      [what]()
      .then((answer) => answer.arrayBuffer());
  }

  it('are those that would be made now, whatever was changed before', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        run += 1;
        for (const step of all) {
          await take(step);
          for (const path of ids.flatMap((id) => pathsOf(named(id)))) {
            // this one goes past all that is kept
            const made = await shown(path, { 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' });
            expect(`${path} ${await shown(path)}`).toBe(`${path} ${made}`);
          }
        }
      }),
      { numRuns: 6 },
    );
  });
});

describe('the response cache of one server', () => {
  const documents = {
    one: { kind: 'document', id: 'Alpha' },
    many: { kind: 'document' },
    same: { kind: 'document', isUnchanged: () => true },
    changed: { kind: 'document', isUnchanged: () => false },
    recounted: { kind: 'document', isUnchanged: (what: string) => what === 'packages' },
  } as const;
  const bytes = { kind: 'bytes', id: 'Alpha' } as const;

  it.each([
    { what: 'packages', of: 'alpha', about: documents.one, isKept: false },
    { what: 'packages', of: 'beta', about: documents.one, isKept: true },
    { what: 'packages', of: 'beta', about: documents.many, isKept: false },
    { what: 'packages', of: 'alpha', about: bytes, isKept: false },
    { what: 'packages', of: 'beta', about: bytes, isKept: true },
    { what: 'counts', of: 'beta', about: documents.one, isKept: true },
    { what: 'counts', of: 'alpha', about: bytes, isKept: true },
    // for some seconds counts may be old
    { what: 'counts', of: 'alpha', about: documents.one, isKept: true },
    { what: 'counts', of: 'alpha', about: documents.many, isKept: true },
    { what: 'counts', of: 'alpha', about: documents.one, afterMs: 21_000, isKept: false },
    { what: 'counts', of: 'beta', about: documents.one, afterMs: 21_000, isKept: true },
    { what: 'counts', of: 'beta', about: documents.many, afterMs: 21_000, isKept: false },
    { what: 'counts', of: 'alpha', about: bytes, afterMs: 21_000, isKept: true },
    // of many packages, where it can be found out
    { what: 'packages', of: 'beta', about: documents.same, isKept: true },
    { what: 'packages', of: 'beta', about: documents.changed, isKept: false },
    { what: 'counts', of: 'beta', about: documents.changed, isKept: true },
    { what: 'counts', of: 'beta', about: documents.same, afterMs: 21_000, isKept: true },
    { what: 'counts', of: 'beta', about: documents.recounted, afterMs: 21_000, isKept: false },
    { what: 'packages', of: 'beta', about: documents.recounted, afterMs: 21_000, isKept: false },
  ])('after a change to $what of $of: $isKept for $about', ({ what, of, about, afterMs = 0, isKept }) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let last = 5;
      const changed = { packages: new Map<string, number>(), all: new Map<string, number>() };
      const number = (map: Map<string, number>) => (id?: string) =>
        Math.max(5, ...(id === undefined ? map.values() : [map.get(id.toLowerCase()) ?? 0]));
      const numbers = { packages: number(changed.packages), all: number(changed.all) };
      const answers = createCachedResponses(8 * 1024 ** 2);
      const asked = () => ({ url: '/x', headers: {} }) as IncomingMessage;
      const first = asked();
      expect(answers.find(first, numbers)).toBeUndefined();
      answers.keep(first, { headers: [], etag: '"x"', body: Buffer.from('x'), about: about });
      expect(answers.find(asked(), numbers)?.body.toString()).toBe('x');

      last += 1;
      changed.all.set(of, last);
      if (what === 'packages') changed.packages.set(of, last);
      vi.advanceTimersByTime(afterMs);
      expect(answers.find(asked(), numbers)?.body.toString()).toBe(isKept ? 'x' : undefined);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(['one', 'many', 'same'] as const)(
    'does not keep a response (%s) when a change came in between',
    (which) => {
      let last = 5;
      const numbers = { packages: () => last, all: () => last };
      const answers = createCachedResponses(8 * 1024 ** 2);
      const asked = () => ({ url: '/x', headers: {} }) as IncomingMessage;
      const first = asked();
      answers.find(first, numbers);
      last += 1;
      answers.keep(first, { headers: [], etag: '"x"', body: Buffer.from('x'), about: documents[which] });
      expect(answers.find(asked(), numbers)).toBeUndefined();
    },
  );

  it('does not take a search for current that shows what came and went again while it was made', async () => {
    const dir = await makeTempDir();
    const database = openDatabase(join(dir, 'catalog.db'));
    try {
      const catalog = createSqlCatalog(database, () => new Date());
      const add = (id: string) => catalog.add(makePackage({ id, version: '1.0.0' }), operator);
      await add('tool-a');
      const query: PackageQuery = {
        ...everything,
        ...{ search: ['tool'], where: { kind: 'property', name: 'IsLatestVersion' }, take: 10 },
      };
      // The texts are read when the first search comes.
      await expect.poll(() => catalog.watch({ ...query }, false)).toBeDefined();
      const numbers = await catalog.revisions.read();
      const answers = createCachedResponses(8 * 1024 ** 2);
      const asked = () => ({ url: '/x', headers: {} }) as IncomingMessage;
      const first = asked();

      answers.find(first, numbers);
      const isUnchanged = catalog.watch(query, false);
      await add('tool-b');
      const body = Buffer.from((await catalog.query(query)).map(({ id }) => id).join());
      await catalog.setListed('tool-b', '1.0.0', false, operator);
      answers.keep(first, { headers: [], etag: '"x"', body, about: { kind: 'document', isUnchanged } });

      expect(body.toString()).toBe('tool-a,tool-b');
      expect(isUnchanged).toBeDefined();
      expect(answers.find(asked(), numbers)).toBeUndefined();
    } finally {
      database.close();
      await rm(dir, { recursive: true });
    }
  });
});

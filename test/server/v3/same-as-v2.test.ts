import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { parseNuGetVersion, printNormalizedVersion } from '../../../formats/nuget-version.ts';
import { makePackage } from '../../kit/new-package.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

const operator = { keyId: 'test', keyName: 'test', from: 'this machine' };
const ids = ['Go', 'go.tool', 'gopher'] as const;
const versions = fc.constantFrom(
  ...[
    '0.9',
    '1.0',
    '1.0.0-beta',
    '1.0.1-beta.2',
    '1.1.0+build',
    '1.1.0.7',
    '2.0.0-0',
    '2.0.0-rc.1',
    '2.0.0',
    '10.0',
  ],
);
type Named = readonly [id: (typeof ids)[number], version: string, isListed: boolean];
const packages: fc.Arbitrary<Named[]> = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...ids), versions, fc.boolean()),
  { selector: ([id, version]) => `${id} ${version}`, minLength: 1, maxLength: 20 },
);

let server: TestServer;
let round = 0;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** Adds the packages under a prefix of their own, so that one server serves all rounds. */
async function fill(all: readonly Named[]): Promise<string> {
  const prefix = `r${round++}.`;
  const { catalog } = server.services;
  for (const [id, version, isListed] of all) {
    await catalog.add(makePackage({ id: prefix + id, version, description: 'tool' }), operator);
    if (!isListed) await catalog.setListed(prefix + id, version, false, operator);
  }
  return prefix;
}

type Seen = { readonly version: string; readonly listed: boolean };

async function readV2(
  path: string,
): Promise<(Seen & { id: string; isLatest: boolean; isNewest: boolean })[]> {
  const answer = await fetch(`${server.url}/nuget/${path}`);
  const { feed } = await parseStringPromise(await answer.text());
  return (feed.entry ?? []).map((entry: Record<string, Record<string, unknown[]>[]>) => {
    const properties = entry['m:properties']?.[0] ?? {};
    const text = (name: string) => {
      const [value] = (properties[`d:${name}`] ?? []) as (string | { _: string })[];
      return typeof value === 'object' ? value._ : (value ?? '');
    };
    return {
      id: text('Id'),
      version: text('NormalizedVersion'),
      listed: text('Listed') === 'true',
      isLatest: text('IsLatestVersion') === 'true',
      isNewest: text('IsAbsoluteLatestVersion') === 'true',
    };
  });
}

// biome-ignore lint/suspicious/noExplicitAny: a document that is looked into
async function readV3(path: string): Promise<any> {
  const answer = await fetch(`${server.url}/v3/${path}`);
  return answer.status === 404 ? undefined : answer.json();
}

const normalized = (text: string) => {
  const version = parseNuGetVersion(text);
  return version === undefined ? text : printNormalizedVersion(version);
};

describe('the v3 view of a catalog', () => {
  it('has the versions, the listing and the latest ones of the v2 view', async () => {
    await fc.assert(
      fc.asyncProperty(packages, async (all) => {
        const prefix = await fill(all);
        for (const [level, hive] of [
          ['1.0.0', 'reg-semver1'],
          ['2.0.0', 'reg'],
        ] as const) {
          for (const id of ids) await compareRegistration(prefix + id, level, hive);
          for (const isPrerelease of [false, true]) await compareSearch(prefix, level, isPrerelease);
        }
      }),
      { numRuns: 25 },
    );
  });
});

async function compareRegistration(id: string, level: string, hive: string): Promise<void> {
  const v2 = await readV2(`FindPackagesById()?id='${id}'&semVerLevel=${level}&$orderby=Version`);
  const index = await readV3(`${hive}/${id.toLowerCase()}/index.json`);
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const leaves = (index?.items ?? []).flatMap((page: any) => page.items);
  const v3: Seen[] = leaves.map(({ catalogEntry }: { catalogEntry: Seen }) => ({
    version: normalized(catalogEntry.version),
    listed: catalogEntry.listed,
  }));

  expect(v3).toEqual(v2.map(({ version, listed }) => ({ version, listed })));
  if (level === '2.0.0') {
    const flat = await readV3(`flat/${id}/index.json`);
    expect(flat?.versions ?? []).toEqual(v2.map(({ version }) => version.toLowerCase()));
  }
}

async function compareSearch(prefix: string, level: string, isPrerelease: boolean): Promise<void> {
  const flag = isPrerelease ? 'IsAbsoluteLatestVersion' : 'IsLatestVersion';
  const v2 = await readV2(
    `Search()?$filter=${flag}&searchTerm='${prefix}go'&includePrerelease=${isPrerelease}&semVerLevel=${level}`,
  );
  const v3 = await readV3(`search?q=${prefix}go&prerelease=${isPrerelease}&semVerLevel=${level}`);
  const hits: { id: string; version: string; versions: { version: string }[] }[] = v3.data;

  expect(hits.map(({ id, version }) => `${id} ${normalized(version)}`)).toEqual(
    v2.map(({ id, version }) => `${id} ${version}`),
  );
  expect(v3.totalHits).toBe(v2.length);
  for (const { id, version, versions } of hits) {
    const listed = await readV2(`FindPackagesById()?id='${id}'&semVerLevel=${level}&$orderby=Version`);
    const visible = listed.filter((row) => row.listed && (isPrerelease || !row.version.includes('-')));
    expect(versions.map((one) => normalized(one.version))).toEqual(visible.map((row) => row.version));
    const newest = visible.find((row) => (isPrerelease ? row.isNewest : row.isLatest));
    expect(normalized(version)).toBe(newest?.version);
  }
}

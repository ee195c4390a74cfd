import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { digestBytes } from '../../../formats/digest.ts';
import { dependenciesText, type Nuspec } from '../../../formats/nuspec.ts';
import { nuspecValue } from '../../formats/arbitraries.ts';
import { startTestServer, type TestServer } from '../../kit/test-server.ts';

const operator = { keyId: 'test', keyName: 'test', from: 'this machine' };
const publicUrl = 'https://feed.corp/go';

let server: TestServer;
let round = 0;
beforeAll(async () => {
  server = await startTestServer({ publicUrl });
});
afterAll(() => server.stop());

/** Under an id of its own, so that one server serves all rounds. */
async function add(said: Nuspec): Promise<string> {
  const id = `Meta.${round++}`;
  const { version } = said;
  const nuspec = { ...said, id };
  const published = new Date(Date.UTC(2026, 0, 1) + round * 1001);
  const digest = digestBytes(Buffer.from(id));
  expect(await server.services.catalog.add({ id, version, nuspec, ...digest, published }, operator)).toBe(
    'added',
  );
  return id;
}

type Fields = Readonly<Record<string, string | undefined>>;

async function readV2(id: string): Promise<Fields> {
  const answer = await fetch(`${server.url}/nuget/FindPackagesById()?id='${id}'&semVerLevel=2.0.0`);
  const { feed } = await parseStringPromise(await answer.text(), { explicitCharkey: true });
  const properties: Record<string, { _?: string }[]> = feed.entry[0]['m:properties'][0];
  return Object.fromEntries(Object.entries(properties).map(([name, [value]]) => [name.slice(2), value?._]));
}

// biome-ignore lint/suspicious/noExplicitAny: a document that is looked into
const readV3 = async (path: string): Promise<any> => (await fetch(`${server.url}/v3/${path}`)).json();

/** What the field of v2 must be, said by that of v3. */
// biome-ignore lint/suspicious/noExplicitAny: as above
function asV2(entry: any): Fields {
  const text = (value: unknown) => (value === undefined || value === '' ? undefined : String(value));
  return {
    Id: entry.id,
    Version: entry.verbatimVersion,
    Description: text(entry.description),
    Summary: text(entry.summary),
    Authors: text(entry.authors),
    Owners: text(entry.owners),
    Tags: text(entry.tags.join(' ')),
    ReleaseNotes: text(entry.releaseNotes),
    Copyright: text(entry.copyright),
    Language: text(entry.language),
    IconUrl: text(entry.iconUrl),
    LicenseUrl: text(entry.licenseUrl),
    ProjectUrl: text(entry.projectUrl),
    RequireLicenseAcceptance: text(entry.requireLicenseAcceptance),
    DevelopmentDependency: text(entry.developmentDependency),
    MinClientVersion: text(entry.minClientVersion),
    PackageSize: text(entry.packageSize),
    PackageHash: text(entry.packageHash),
    PackageHashAlgorithm: text(entry.packageHashAlgorithm),
    Created: text(entry.created),
    Published: text(entry.published),
    LastEdited: text(entry.lastEdited),
    IsPrerelease: text(entry.isPrerelease),
    Listed: text(entry.listed),
  };
}

/** Each dependency of a v3 entry as a record of v2's text. */
// biome-ignore lint/suspicious/noExplicitAny: as above
function dependenciesIn(entry: any): string {
  const dependencies = entry.dependencyGroups.flatMap(
    ({ targetFramework, dependencies: members }: { targetFramework?: string; dependencies: object[] }) =>
      (members.length === 0 ? [{ id: '' }] : members).map((member) => ({ ...member, targetFramework })),
  );
  return dependenciesText({ dependencies });
}

const shared = (hit: Record<string, unknown>, entry: Record<string, unknown>) =>
  Object.fromEntries(Object.keys(hit).map((name) => [name, entry[name]]));

describe('the metadata of a package', () => {
  it('is the same over v2 and v3, field by field, and in every document of v3', async () => {
    await fc.assert(
      fc.asyncProperty(nuspecValue, fc.boolean(), async (nuspec, isListed) => {
        const id = await add(nuspec);
        if (!isListed) await server.services.catalog.setListed(id, nuspec.version, false, operator);
        const v2 = await readV2(id);
        const index = await readV3(`reg/${id.toLowerCase()}/index.json`);
        const inline = index.items[0].items[0].catalogEntry;
        const entry = await readV3(inline['@id'].slice(`${publicUrl}/v3/`.length));

        const expected = asV2(entry);
        expect(Object.fromEntries(Object.keys(expected).map((name) => [name, v2[name]]))).toEqual(expected);
        // v2 shows none where v3 shows the id.
        expect(entry.title).toBe(v2.Title ?? id);
        expect(dependenciesIn(entry)).toBe(v2.Dependencies ?? '');
        const { '@type': _type, ...rest } = inline;
        expect(entry).toMatchObject(rest);
        expect(JSON.stringify([v2, entry])).not.toMatch(/deprecatelicenseurl/i);
        if (!isListed) return;
        const found = await readV3(`search?q=packageid:${id}&prerelease=true&semVerLevel=2.0.0`);
        const {
          '@id': _id,
          '@type': _hit,
          registration,
          totalDownloads,
          verified,
          versions,
          ...hit
        } = found.data[0];
        expect([registration, totalDownloads, verified]).toEqual([index['@id'], 0, false]);
        expect(shared(hit, entry)).toEqual(hit);
        expect(versions).toHaveLength(1);
      }),
      { numRuns: 100 },
    );
  });
});

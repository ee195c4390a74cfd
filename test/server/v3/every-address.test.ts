import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePackage } from '../../kit/new-package.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { adminKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

const operator = { keyId: 'test', keyName: 'test', from: 'this machine' };
const named = {
  metadata: { icon: 'i.svg', readme: 'docs\\r.md' },
  metadataXml:
    '<license type="file">L.txt</license>' +
    '<dependencies><dependency id="not.here" version="1.0"/></dependencies>',
  files: { 'i.svg': '<svg/>', 'docs/r.md': '# r', 'L.txt': 'l' },
};

/** [id, version, is listed] of packages that clients spell in more than one way, or do not find at once. */
const packages = [
  ['Plain', '1.0.0', true],
  ['Dotted.Name_x-Y', '1.0', true],
  ['Dotted.Name_x-Y', '2.0.0-Beta.1+Build.5', true],
  ['Dotted.Name_x-Y', '1.2.3.4', false],
  ['only.beta', '0.1.0-rc1', true],
  ['only.semver2', '1.0.0-a.b', true],
  ['All.Gone', '1.0.0', false],
] as const;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  for (const [id, version, isListed] of packages) {
    expect((await pushNupkg(server, makeNupkg({ id, version, ...named }), adminKey)).status).toBe(201);
    if (!isListed) await server.services.catalog.setListed(id, version, false, operator);
  }
  for (let patch = 0; patch < 130; patch++) {
    await server.services.catalog.add(makePackage({ id: 'Many', version: `1.0.${patch}-X` }), operator);
  }
});
afterAll(() => server.stop());

const normalized = (version: string) => (version === '1.0' ? '1.0.0' : version).replace(/\+.*/, '');

/** Every address of this server in a document, wherever it stands. */
function addressesIn(document: unknown): string[] {
  if (typeof document === 'string') return document.startsWith(server.url) ? [document] : [];
  if (typeof document !== 'object' || document === null) return [];
  return Object.values(document).flatMap(addressesIn);
}

/** The address of a resource with a package filled in, as clients do it. */
function filled(template: string, id: string, version: string): string {
  const values = { id, version, lower_id: id.toLowerCase(), lower_version: version.toLowerCase() };
  return template.replace(/\{(\w+)\}/g, (_, name: keyof typeof values) => encodeURIComponent(values[name]));
}

describe('every address in a v3 document', () => {
  it('works, from the index on, for packages with any names, listed or not', async () => {
    const index = (await (await fetch(`${server.url}/v3/index.json`)).json()) as {
      resources: { '@id': string; '@type': string }[];
    };
    const of = (type: string) => index.resources.find((one) => one['@type'] === type)?.['@id'] ?? '';
    const waiting = [
      ...index.resources.map((one) => one['@id']).filter((address) => !address.includes('{')),
      `${of('SearchQueryService')}?prerelease=true&semVerLevel=2.0.0&take=1000`,
      `${of('SearchQueryService')}?q=dotted`,
      ...packages.flatMap(([id, version]) => {
        const [lower, plain] = [id.toLowerCase(), normalized(version)];
        const flat = `${of('PackageBaseAddress/3.0.0')}${lower}`;
        return [
          ...[
            'PackageDetailsUriTemplate/5.1.0',
            'ReportAbuseUriTemplate/Versioned',
            'ReadmeUriTemplate/6.13.0',
          ].map((type) => filled(of(type), id, plain)),
          `${of('RegistrationsBaseUrl/Versioned')}${lower}/index.json`,
          `${flat}/index.json`,
          `${flat}/${plain.toLowerCase()}/${lower}.nuspec`,
        ];
      }),
      `${of('RegistrationsBaseUrl/Versioned')}many/index.json`,
      `${of('RegistrationsBaseUrl/3.4.0')}dotted.name_x-y/index.json`,
    ];
    const publish = of('PackagePublish/2.0.0');
    const seen = new Set<string>();
    const broken: string[] = [];
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      if (seen.has(address)) continue;
      seen.add(address);
      // Many's packages have no bytes behind them.
      if (/\/flat\/many\/.*nupkg$/.test(address)) continue;
      const answer = await fetch(address);
      const isPublish = address === publish && answer.status === 405;
      if (answer.status !== 200 && !isPublish) broken.push(`${answer.status} ${address}`);
      const isJson = answer.headers.get('content-type')?.startsWith('application/json');
      const body = await answer.text();
      if (isJson) waiting.push(...addressesIn(JSON.parse(body)).filter((next) => !next.includes('{')));
    }

    expect(broken).toEqual([]);
    expect(seen.size).toBeGreaterThan(2 * 130);
    for (const file of ['icon', 'license', 'readme']) {
      expect([...seen].filter((address) => address.endsWith(`/${file}`)).length).toBeGreaterThan(3);
    }
  });

  it('is there under each type that a client of any year looks for', async () => {
    const { resources } = (await (await fetch(`${server.url}/v3/index.json`)).json()) as {
      resources: { '@type': string }[];
    };
    const types = resources.map((one) => one['@type']);
    const names = [...new Set(types.map((type) => type.replace(/\/.*/, '')))];

    // NuGet.Protocol 5.7 to 8.0 read these alone of some resources (spec nuget-v2 18.3).
    expect(names.filter((name) => !types.includes(`${name}/Versioned`))).toEqual([]);
    expect(types).toContain('ReportAbuseUriTemplate/3.0.0');
  });
});

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CuttingProxy, startCuttingProxy } from '../kit/cutting-proxy.ts';
import { delveRelease } from '../kit/generator.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { startTestServer, type TestServer } from '../kit/test-server.ts';
import { startVulnServer, type VulnServer } from '../kit/vulndb.ts';

/** What a run asks the server for, counted on the wire; with VULN_DB, which looks into every exe. */
describe('a promotion', () => {
  let server: TestServer;
  let proxy: CuttingProxy;
  let database: VulnServer;
  let fixture: ReleaseFixture;

  beforeAll(async () => {
    server = await startTestServer();
    proxy = await startCuttingProxy(server.url);
    database = await startVulnServer([]);
    const versions = ['1.26.3', '1.26.2'];
    fixture = await startReleaseFixture({
      server,
      repositories: { 'go-delve/delve': versions.map((version) => delveRelease(version)) },
      settings: { FEED_URL: `${proxy.url}/nuget`, VULN_DB: database.url },
    });
    await fixture.generator.run('release:beta', ['delve@1.26.2']);
    await fixture.generator.run('release:promote', ['delve']);
    await fixture.generator.run('release:beta', ['delve@1.26.3']);
  });
  afterAll(async () => {
    await fixture.stop();
    await database.stop();
    await proxy.stop();
    await server.stop();
  });

  it('reads each list, package and exe of the feed once', async () => {
    const before = proxy.requests.length;
    const { generator } = fixture;
    // on a machine that has none of it
    const env = { CACHE_DIR: join(generator.dir, 'empty-cache') };
    const result = await generator.run('release:promote', ['delve'], { env });

    expect(result).toMatchObject({ exitCode: 0 });
    const read = proxy.requests
      .slice(before)
      .filter((line) => /^GET .*(FindPackagesById|\/package\/|\.exe$)/.test(line))
      .sort();
    expect(read).toEqual([...new Set(read)]);
    const exes = read.filter((line) => line.endsWith('.exe'));
    expect(exes).toContain('GET /dl/delve/1.26.3-beta.1/dlv-windows-amd64.exe');
    expect(exes).toContain('GET /dl/delve/1.26.3-beta.1/dlv-windows-arm64.exe');
    expect(exes).toContain('GET /dl/delve/1.26.2/dlv-windows-arm64.exe');
  });
});

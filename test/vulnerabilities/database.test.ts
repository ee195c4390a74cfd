import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../vulnerabilities/database.ts';
import { openTree } from '../../vulnerabilities/web-tree.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { failureOf, makeUpstreamFixture, nowhere, type UpstreamFixture } from '../kit/upstream-fixture.ts';
import { makeVuln, readVulnFixtures, startVulnServer, type VulnServer, writeVulnDb } from '../kit/vulndb.ts';

const goreleaser = [{ path: 'github.com/goreleaser/goreleaser', version: 'v1.23.0' }];
let fixture: UpstreamFixture;
let server: VulnServer | undefined;

beforeEach(async () => {
  fixture = await makeUpstreamFixture();
  server = undefined;
});
afterEach(async () => {
  await server?.stop();
  await fixture.stop();
});

async function ask(url: string, modules = goreleaser): Promise<readonly string[]> {
  const database = await openDatabase(await openTree(url, fixture.settings));
  return (await database.entriesFor(modules)).map(({ id }) => id).sort();
}

describe('a vulnerability database in a folder', () => {
  it.each(['.json', '.json.gz'] as const)('is read from %s files', async (ending) => {
    const dir = await writeVulnDb(await makeTempDir(), await readVulnFixtures(), ending);

    expect(await ask(pathToFileURL(dir).href)).toEqual(['GO-2024-2482', 'GO-2024-2860']);
  });

  it('that is missing cannot be reached, nor one without an index, as on an unmounted disk', async () => {
    const dir = await makeTempDir();

    expect(await failureOf(ask(pathToFileURL(join(dir, 'nothing')).href))).toMatchObject({
      code: 'VULN_DB_UNREACHABLE',
      exitCode: 4,
    });
    expect(await failureOf(ask(pathToFileURL(dir).href))).toMatchObject({
      code: 'VULN_DB_UNREACHABLE',
      exitCode: 4,
      message: expect.stringContaining('index/db.json is missing'),
    });
  });

  it.each<[string, string, string, string]>([
    ['no JSON', 'index/modules', '<html>', 'index/modules.json is not its JSON'],
    [
      'an id that leads elsewhere',
      'index/modules',
      JSON.stringify([{ path: 'x', vulns: [{ id: '../../etc/passwd' }] }]),
      'is not an id',
    ],
    [
      'an entry of another shape',
      'ID/GO-2024-2482',
      '{"id":"GO-2024-2482","affected":[{"package":{}}]}',
      'ID/GO-2024-2482.json has affected.0.package.name',
    ],
    ['another entry', 'ID/GO-2024-2482', '{"id":"GO-2024-2860"}', 'ID/GO-2024-2482 is about GO-2024-2860'],
    [
      'a version that is none',
      'ID/GO-2024-2482',
      JSON.stringify(makeVuln('GO-2024-2482', goreleaser[0]!.path, 'one')),
      'ID/GO-2024-2482.json has affected.0.ranges.0',
    ],
  ])('that contains %s is not understood', async (_, file, text, problem) => {
    const dir = await writeVulnDb(await makeTempDir(), await readVulnFixtures());
    await writeFile(join(dir, `${file}.json`), text);

    const failure = await failureOf(ask(pathToFileURL(dir).href));

    expect(failure).toMatchObject({ code: 'VULN_DB_INVALID', message: expect.stringContaining(problem) });
  });

  it('does not read entries whose latest fix is behind the version', async () => {
    const dir = await writeVulnDb(await makeTempDir(), []);
    const vulns = [{ id: 'GO-2024-2482', modified: '', fixed: '1.24.0' }];
    await writeFile(
      join(dir, 'index', 'modules.json'),
      JSON.stringify([{ path: goreleaser[0]!.path, vulns }]),
    );
    const url = pathToFileURL(dir).href;

    expect(await ask(url, [{ ...goreleaser[0]!, version: 'v1.24.0' }])).toEqual([]);
    expect(await failureOf(ask(url))).toMatchObject({ code: 'VULN_DB_INVALID' });
  });
});

describe('a vulnerability database on the web', () => {
  it.each(['.json.gz', '.json'] as const)(
    'is read from %s files, and an unchanged entry is asked for once',
    async (ending) => {
      server = await startVulnServer(await readVulnFixtures(), { ending });

      const first = await ask(server.url);
      const asked = server.asked.splice(0).filter((line) => !line.startsWith('404'));
      const second = await ask(server.url);

      expect(first).toEqual(['GO-2024-2482', 'GO-2024-2860']);
      expect(second).toEqual(first);
      expect(asked.sort()).toEqual([
        `200 /ID/GO-2024-2482${ending}`,
        `200 /ID/GO-2024-2860${ending}`,
        `200 /index/db${ending}`,
        `200 /index/modules${ending}`,
      ]);
      expect(server.asked.filter((line) => !line.startsWith('404'))).toEqual([
        `304 /index/db${ending}`,
        `304 /index/modules${ending}`,
      ]);
    },
  );

  it('is requested again for a changed entry', async () => {
    const module = 'example.test/x';
    server = await startVulnServer([makeVuln('GO-2026-0001', module, '2.0.0')]);
    const database = async () => openDatabase(await openTree(server!.url, fixture.settings));
    const asking = [{ path: module, version: 'v1.0.0' }];
    await (await database()).entriesFor(asking);
    server.serve([{ ...makeVuln('GO-2026-0001', module, '3.0.0'), modified: '2026-02-02T00:00:00Z' }]);

    const [entry] = await (await database()).entriesFor(asking);

    expect(JSON.stringify(entry)).toContain('"fixed":"3.0.0"');
  });

  it('is asked again after a failure, and then read', async () => {
    server = await startVulnServer(await readVulnFixtures());
    server.faults.push(503, 500);

    expect(await ask(server.url)).toHaveLength(2);
  });

  it('that does not answer cannot be reached: exit 4, whatever is cached', async () => {
    server = await startVulnServer(await readVulnFixtures());
    await ask(server.url);
    server.faults.push(503, 503, 503, 503);

    expect(await failureOf(ask(server.url))).toMatchObject({ code: 'VULN_DB_UNREACHABLE', exitCode: 4 });
    expect(await failureOf(ask(nowhere))).toMatchObject({ code: 'VULN_DB_UNREACHABLE', exitCode: 4 });
  });

  it('that refuses us is not asked four times', async () => {
    server = await startVulnServer(await readVulnFixtures());
    server.faults.push(403);

    expect(await failureOf(ask(server.url))).toMatchObject({ code: 'VULN_DB_UNREACHABLE' });
    expect(server.asked).toEqual(['403 /index/db.json.gz']);
  });
});

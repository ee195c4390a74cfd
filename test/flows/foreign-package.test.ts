import { access } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { pushNupkg, type TestServer } from '../kit/test-server.ts';

/** A feed takes packages from anybody with a key; the ids and versions of our tools are no exception. */
describe("a package under a tool's name that was not made by a release", () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let generator: Generator;

  beforeEach(async () => {
    fixture = await startReleaseFixture({ repositories: { 'go-delve/delve': [delveRelease('1.26.3')] } });
    ({ server, generator } = fixture);
  });
  afterEach(() => fixture.stop());

  const pushForeign = (version: string, files: Record<string, string> = {}): Promise<Response> =>
    pushNupkg(server, makeNupkg({ id: 'delve', version, files }), server.adminKey);

  it('blocks a promotion to its version, before anything is published', async () => {
    await generator.run('release:beta', ['delve']);
    await pushForeign('1.26.3');

    const { exitCode, stderr } = await generator.run('release:promote', ['delve']);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('1.26.3 cannot become stable: the feed has a package of this version');
    expect(stderr).toContain('Nothing was published.');
    expect((await fetch(`${server.url}/dl/delve/1.26.3/dlv-windows-amd64.exe`)).status).toBe(404);
  });

  it.each(['{"schema": 1}', 'no JSON at all'])(
    'uses up its number when its record %j is not one of ours',
    async (record) => {
      await pushForeign('1.26.3-beta.1', { 'tools/release.json': record });

      const promotion = await generator.run('release:promote', ['delve']);
      const { exitCode, stdout } = await generator.run('release:beta', ['delve']);

      expect(promotion).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no release record') });
      expect(exitCode).toBe(0);
      expect(stdout).toContain('delve 1.26.3-beta.2: released');
    },
  );

  it('writes no file where its record says', async () => {
    await generator.run('release:beta', ['delve']);
    const made = await fetch(`${server.url}/nuget/package/delve/1.26.3-beta.1`);
    const zip = new AdmZip(Buffer.from(await made.arrayBuffer()));
    const target = join(generator.dir, 'planted.exe');
    const edit = (name: string, change: (text: string) => string): void =>
      void zip.updateFile(name, Buffer.from(change(zip.readAsText(name))));
    edit('delve.nuspec', (text) => text.replace('1.26.3-beta.1', '1.26.3-beta.2'));
    edit('tools/release.json', (text) =>
      text
        .replace('1.26.3-beta.1', '1.26.3-beta.2')
        .replace('"dlv-windows-amd64.exe"', JSON.stringify(`../../../../../../../..${target}`)),
    );
    expect((await pushNupkg(server, zip.toBuffer(), server.adminKey)).status).toBe(201);

    const promotion = await generator.run('release:promote', ['delve@1.26.3-beta.2', '--dry-run']);

    expect(promotion).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no release record') });
    await expect(access(target)).rejects.toThrow('ENOENT');
  });
});

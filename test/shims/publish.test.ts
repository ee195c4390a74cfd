import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { hasGo } from '../kit/exe.ts';
import { hasNuget, makeNuget } from '../kit/nuget.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { publishShims } from './publish-shims.ts';

describe.skipIf(!hasGo)('shims --publish (needs go)', () => {
  let server: TestServer;
  let dir: string;
  beforeAll(async () => {
    server = await startTestServer();
    dir = await makeTempDir();
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  const publish = (
    channel: string,
    key: string | undefined,
    version = '1.2.0',
    flags: readonly string[] = [],
  ): Promise<string> => publishShims({ server, dir, channel, key, version, flags });

  it('says in a dry run which version it would be, without a key, and publishes nothing', async () => {
    const dry = await publish('beta', undefined, '1.2.0', ['--dry-run']);

    expect(dry).toBe('go-win-shims 1.2.0-beta.1: would be published to beta\n');
    expect((await fetch(`${server.url}/m/beta/go-win-shims.json`)).status).toBe(404);
  });

  it.each([
    ['beta', 'read', 'FEED_KEY_SCOPE'],
    ['beta', undefined, 'FEED_KEY_MISSING'],
  ])('refuses for %s a key with scope "%s" before anything is there', async (channel, scope, code) => {
    await expect(publish(channel, scope)).rejects.toMatchObject({ code });
    const payload = `${server.url}/dl/go-win-shims/1.2.0-beta.1/go-win-shims-windows-amd64.exe`;
    expect((await fetch(payload)).status).toBe(404);
  });

  it('goes to beta once, then to main with the same launcher, for both managers', async () => {
    expect(await publish('beta', 'push:beta')).toBe('go-win-shims 1.2.0-beta.1: published to beta\n');
    expect(await publish('beta', 'push:beta')).toBe('go-win-shims 1.2.0-beta.1: already published\n');
    expect(await publish('main', 'push')).toBe('go-win-shims 1.2.0: published to main\n');
    expect(await publish('main', 'push')).toBe('go-win-shims 1.2.0: already published\n');
    expect(await publish('main', undefined, '1.2.0', ['--dry-run'])).toBe(
      'go-win-shims 1.2.0: already published\n',
    );

    const manifest = (await (await fetch(`${server.url}/m/go-win-shims.json`)).json()) as {
      version: string;
      architecture: { '64bit': { url: string; hash: string } };
      pre_install: string[];
      env_add_path: string;
    };
    const { url, hash } = manifest.architecture['64bit'];
    const launcher = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(manifest).toMatchObject({ version: '1.2.0', env_add_path: '.' });
    expect(url).toBe(
      `${server.publicUrl}/dl/go-win-shims/1.2.0/go-win-shims-windows-amd64.exe#/launcher.exe`,
    );
    expect(digestBytes(launcher).sha256).toBe(hash);
    expect(manifest.pre_install.map((line) => line.split(' ')[0])).toEqual(
      ['buf', 'dlv', 'goreleaser'].flatMap(() => ['Copy-Item', 'Set-Content']),
    );
  });

  it.skipIf(!hasNuget).each([
    ['on beta', '1.2.0-beta.1', ['-Prerelease', '-Version', '1.2.0-beta.1']],
    ['on main', '1.2.0', []],
  ] as const)(
    'is installed by nuget.exe as it is %s: a launcher for each command, none of which is shimmed (needs mono)',
    async (_channel, version, which) => {
      const nuget = await makeNuget(dir);
      const out = join(dir, version);
      const source = ['-Source', `${server.url}/nuget`, '-OutputDirectory', out];
      const result = await nuget('install', 'go-win-shims', ...which, ...source);
      const tools = join(out, `go-win-shims.${version}`, 'tools');
      const manifest = await fetch(`${server.url}/m/go-win-shims/${version}/go-win-shims.json`);
      const { hash } = ((await manifest.json()) as { architecture: { '64bit': { hash: string } } })
        .architecture['64bit'];

      expect(result.code, result.stdout + result.stderr).toBe(0);
      expect(await readdir(out)).toEqual([`go-win-shims.${version}`]);
      for (const command of ['buf', 'dlv', 'goreleaser']) {
        expect(digestBytes(await readFile(join(tools, `${command}.exe`))).sha256).toBe(hash);
        expect((await readFile(join(tools, `${command}.exe.ignore`))).length).toBeGreaterThan(0);
        expect(JSON.parse(await readFile(join(tools, `${command}.shim.json`), 'utf8'))).toMatchObject({
          exe: `${command}.exe`,
          prefer: 'newest',
        });
      }
      expect(await readFile(join(tools, 'VERIFICATION.txt'), 'utf8')).toContain(hash);
    },
  );

  it.skipIf(!hasNuget)(
    'offers nuget.exe the beta only when it asks for prereleases (needs mono)',
    async () => {
      const nuget = await makeNuget(join(dir, 'fresh'));
      await publish('beta', 'push:beta', '1.3.0');

      for (const [version, which] of [
        ['1.2.0', []],
        ['1.3.0-beta.1', ['-Prerelease']],
      ] as const) {
        const out = join(dir, `newest-${version}`);
        const source = ['-Source', `${server.url}/nuget`, '-OutputDirectory', out];
        const result = await nuget('install', 'go-win-shims', ...which, ...source);

        expect(result.code, result.stdout + result.stderr).toBe(0);
        expect(await readdir(out)).toEqual([`go-win-shims.${version}`]);
      }
    },
  );
});

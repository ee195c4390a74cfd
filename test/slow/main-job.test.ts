import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNupkg } from '../../formats/nupkg.ts';
import { parseReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import { parseScoopManifest } from '../../formats/scoop-manifest.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { cli } from '../kit/cli.ts';
import { hasNuget, makeNuget, type Nuget } from '../kit/nuget.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { download } from '../kit/published.ts';
import { mainStart, readmeStart, startStart } from '../kit/start-process.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';
import { useDisk } from '../kit/use-disk.ts';
import { hasWine, startWine, type Wine } from '../kit/wine.ts';

useDisk();

const tools = [
  { tool: 'buf', exe: 'buf.exe', version: '1.32.0', ask: ['--version'], says: '1.32.0' },
  { tool: 'delve', exe: 'dlv.exe', version: '1.22.0', ask: ['version'], says: 'Version: 1.22.0' },
  { tool: 'goreleaser', exe: 'goreleaser.exe', version: '1.20.0', ask: ['--version'], says: '1.20.0' },
] as const;
const named = tools.map(({ tool, version }) => `${tool}@${version}`);

/**
 * The whole product once: no forge in reach, the three tools built from their Go modules by the real go and its checksum
 * database, published, promoted, installed by the real nuget.exe and run as Windows programs. The later tests build on
 * the earlier ones.
 */
describe.skipIf(!hasProgram('go'))('the main job (needs go and its module proxy)', () => {
  const minutes = 60_000;
  let server: TestServer;
  let dir: string;
  let env: Record<string, string>;
  let nuget: Nuget;

  beforeAll(async () => {
    server = await startTestServer({ maxPackageBytes: 1024 ** 3 });
    dir = await makeTempDir();
    env = {
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: server.adminKey,
      CACHE_DIR: testCacheDir,
      GITHUB_API_URL: nowhere,
    };
    nuget = await makeNuget(dir);
  });

  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  async function packageOf(id: string, version: string): Promise<{ record: ReleaseRecord; exe: Buffer }> {
    const path = join(dir, `${id}.${version}.nupkg`);
    await writeFile(path, await download(`${server.url}/nuget/package/${id}/${version}`));
    const nupkg = await openNupkg(path);
    try {
      const record = parseReleaseRecord((await nupkg.readEntry('tools/release.json', 1e6)).toString());
      const exe = nupkg.entries.map(({ name }) => name).filter((name) => name.endsWith('.exe'));
      expect(exe).toHaveLength(1);
      return { record, exe: await nupkg.readEntry(exe[0]!, 1e9) };
    } finally {
      await nupkg.close();
    }
  }

  async function manifestsOf(
    channel: 'main' | 'beta',
  ): Promise<Record<string, { version: string; text: string }>> {
    const clone = await makeTempDir();
    try {
      await mustRun('git', [
        'clone',
        '-q',
        `${server.url}/git/${channel}/go-win-tools.git`,
        join(clone, 'bucket'),
      ]);
      const texts: Record<string, { version: string; text: string }> = {};
      for (const { tool } of tools) {
        const text = await readFile(join(clone, 'bucket', 'bucket', `${tool}.json`), 'utf8').catch(
          () => undefined,
        );
        if (text !== undefined) texts[tool] = { version: parseScoopManifest(text).version, text };
      }
      return texts;
    } finally {
      await rm(clone, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  it(
    'ends with exit 4 while the forge cannot be reached, says what would work, and publishes nothing',
    async () => {
      const result = await cli(env, 'release:beta', ...named);

      expect(result.code, result.stderr).toBe(4);
      expect(result.stderr).toContain('--source go-module');
      expect(result.stderr).toContain('Nothing was published');
      expect(await server.services.catalog.size()).toBe(0);
      expect(await manifestsOf('beta')).toEqual({});
    },
    20 * minutes,
  );

  it(
    'releases all three to beta from their modules, and leaves main unchanged',
    async () => {
      const result = await cli(env, 'release:beta', ...named, '--source', 'go-module');

      expect(result.code, result.stderr).toBe(0);
      const beta = await manifestsOf('beta');
      expect(Object.keys(beta)).toEqual(tools.map(({ tool }) => tool));
      for (const { tool, version } of tools) {
        expect(beta[tool]?.version).toBe(`${version}-beta.1`);
        const { record } = await packageOf(tool, `${version}-beta.1`);
        expect(record).toMatchObject({ builtBy: 'feed', source: { kind: 'go-module', version } });
        expect(record.payloads.map(({ architecture }) => architecture)).toEqual(['amd64', 'arm64']);
        expect(record.evidence.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
      }
      expect(await manifestsOf('main')).toEqual({});
    },
    30 * minutes,
  );

  it(
    'promotes them with the same exes, to both branches',
    async () => {
      const result = await cli(env, 'release:promote', ...tools.map(({ tool }) => tool));

      expect(result.code, result.stderr).toBe(0);
      const [main, beta] = [await manifestsOf('main'), await manifestsOf('beta')];
      expect(main).toEqual(beta);
      for (const { tool, version } of tools) {
        const [tested, stable] = [await packageOf(tool, `${version}-beta.1`), await packageOf(tool, version)];
        expect(main[tool]?.version).toBe(version);
        expect(stable.exe.equals(tested.exe)).toBe(true);
        expect(stable.record.payloads).toEqual(tested.record.payloads);
        expect(compareScoopVersions(version, `${version}-beta.1`)).toBeGreaterThan(0);
      }
    },
    10 * minutes,
  );

  it(
    'offers each file at its address with the hash in manifest and record',
    async () => {
      for (const [tool, { text, version }] of Object.entries(await manifestsOf('main'))) {
        const manifest = parseScoopManifest(text);
        const { record, exe } = await packageOf(tool, version);
        for (const [architecture, name] of [
          ['amd64', '64bit'],
          ['arm64', 'arm64'],
        ] as const) {
          const offer = manifest.architecture?.[name];
          const address = String(offer?.url).replace(/#.*$/, '');
          const sha256 = createHash('sha256')
            .update(await download(address))
            .digest('hex');
          expect(offer?.hash).toBe(sha256);
          expect((await download(`${address}.sha256`)).toString()).toBe(`${sha256}\n`);
          expect(record.payloads.find((payload) => payload.architecture === architecture)?.sha256).toBe(
            sha256,
          );
        }
        expect(record.payloads[0]?.sha256).toBe(createHash('sha256').update(exe).digest('hex'));
      }
    },
    10 * minutes,
  );

  it(
    'has nothing to do when it is repeated',
    async () => {
      const before = await mustRun('git', ['ls-remote', `${server.url}/git/main/go-win-tools.git`]);

      const beta = await cli(env, 'release:beta', ...named);
      const promote = await cli(env, 'release:promote', ...tools.map(({ tool }) => tool));

      expect([beta.code, promote.code], beta.stderr + promote.stderr).toEqual([0, 0]);
      expect(beta.stdout.match(/nothing to do/g)).toHaveLength(3);
      expect(promote.stdout.match(/nothing to do/g)).toHaveLength(3);
      expect(await mustRun('git', ['ls-remote', `${server.url}/git/main/go-win-tools.git`])).toBe(before);
    },
    10 * minutes,
  );

  it(
    "runs the README's commands as written",
    async () => {
      for (const command of [
        'npx -y pnpm@10 release:status',
        'npx -y pnpm@10 release:beta delve@1.22.0 --source go-module',
        'npx -y pnpm@10 release:promote delve',
      ]) {
        const [program = '', ...args] = command.split(' ');
        const result = await run(program, args, { cwd: productDir, env });
        expect(result.code, `${command}\n${result.stdout}${result.stderr}`).toBe(0);
        expect(result.stdout).toContain('delve');
      }
    },
    10 * minutes,
  );

  it.skipIf(!hasNuget)(
    'is listed and installed by the real nuget.exe, stable and -Prerelease (needs mono)',
    async () => {
      const source = `${server.url}/nuget`;

      const list = await nuget('list', '-Source', source);
      expect(list.stdout).toContain('buf 1.32.0\n');
      expect(list.stdout).toContain('delve 1.22.0\n');
      expect(list.stdout).toContain('goreleaser 1.20.0\n');
      const every = await nuget('list', '-AllVersions', '-Prerelease', '-Source', source);
      expect(every.stdout).toContain('delve 1.22.0-beta.1\n');
      for (const { tool, exe, version } of tools) {
        const { record } = await packageOf(tool, version);
        const install = await nuget(
          'install',
          tool,
          '-Source',
          source,
          '-OutputDirectory',
          join(dir, 'stable'),
        );
        expect(install.code, install.stdout + install.stderr).toBe(0);
        const installed = await readFile(join(dir, 'stable', `${tool}.${version}`, 'tools', exe));
        expect(createHash('sha256').update(installed).digest('hex')).toBe(record.payloads[0]?.sha256);
      }
      const exact = await nuget(
        ...[
          'install',
          'delve',
          '-Version',
          '1.22.0-beta.1',
          '-Prerelease',
          '-Source',
          source,
          '-OutputDirectory',
          join(dir, 'beta'),
        ],
      );
      expect(exact.code, exact.stdout + exact.stderr).toBe(0);
      expect(await readFile(join(dir, 'beta', 'delve.1.22.0-beta.1', 'tools', 'dlv.exe'))).toEqual(
        await readFile(join(dir, 'stable', 'delve.1.22.0', 'tools', 'dlv.exe')),
      );
    },
    15 * minutes,
  );

  describe.skipIf(!hasWine || !hasNuget)('the installed programs (need wine, mingw-w64 and mono)', () => {
    let wine: Wine;

    beforeAll(async () => {
      wine = await startWine(join(dir, 'windows'));
    }, 5 * minutes);

    afterAll(async () => {
      await wine.stop();
    });

    it.each(tools)(
      '$exe runs and says its version',
      async ({ tool, exe, version, ask, says }) => {
        const result = await wine.run(join(dir, 'stable', `${tool}.${version}`, 'tools', exe), ask);

        expect(result.code, result.stderr).toBe(0);
        expect(result.stdout + result.stderr).toContain(says);
      },
      5 * minutes,
    );
  });

  it(
    'does what `start` does on an empty feed, and a later start changes nothing',
    async () => {
      const dataDir = join(dir, 'start-data');
      const own = { ...env, FEED_URL: '', FEED_API_KEY: '', DATA_DIR: dataDir };
      const first = await startStart(mainStart, own);
      let exitCode: number | null = null;
      try {
        // The feed answers before any tool is there.
        expect((await fetch(`${first.url}/nuget`)).status).toBe(200);
        await first.says('Ctrl-C ends the server.');
      } finally {
        exitCode = await first.end();
      }
      expect(exitCode).toBe(0);
      for (const { tool } of tools) {
        expect(first.stdout()).toContain(`choco install ${tool} -s ${first.url}/nuget`);
        expect(first.stdout()).toContain(`scoop install go-win-tools/${tool}`);
      }
      const key = (await readFile(join(dataDir, 'start.key'), 'utf8')).trim();
      expect(first.stdout()).toContain(join(dataDir, 'start.key'));
      expect(first.stdout() + first.stderr()).not.toContain(key);

      const second = await startStart(readmeStart, own);
      try {
        await second.says('Ctrl-C ends the server.');
      } finally {
        await second.end();
      }
      expect(second.stdout()).toContain('delve can be installed');
      expect(second.stderr()).not.toContain('fetch');
    },
    30 * minutes,
  );
});

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findServer } from '../../server/server-file.ts';
import { createCommand } from '../../server/verbs/import.ts';
import { everything } from '../contract/catalog.ts';
import { cli } from '../kit/cli.ts';
import { type FakeFeedOptions, startFakeFeed } from '../kit/fake-feed.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerb, runVerbWith } from '../kit/operator-fixture.ts';
import {
  makeKey,
  makeTempDir,
  productDir,
  pushNupkg,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../kit/test-server.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function tempDir(): Promise<string> {
  const dir = await makeTempDir();
  undo.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

async function newServer(options: TestServerOptions = {}): Promise<TestServer> {
  const started = await startTestServer(options);
  undo.push(() => started.stop());
  return started;
}

async function fakeFeed(options: FakeFeedOptions) {
  const feed = await startFakeFeed(options);
  undo.push(() => feed.stop());
  return feed;
}

/** The verb in this process, into a data folder. */
async function importInto(dataDir: string, ...args: string[]) {
  const { error, ...said } = await runVerb(createCommand, dataDir, ...args);
  return { ...said, message: error?.message ?? '' };
}

type Line = { kind: string; id?: string; version?: string; reason?: string };
function linesOf(stdout: string): Line[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** What a data folder holds: `id version listed SHA-512`, whoever brought it. */
async function contentsOf(dataDir: string): Promise<string[]> {
  const running = await startTestServer({ dataDir });
  try {
    return await contentsOfServer(running);
  } finally {
    await running.stop();
  }
}

function rowsOf({ services }: TestServer) {
  return services.catalog.query(everything);
}

async function contentsOfServer(server: TestServer): Promise<string[]> {
  const rows = await rowsOf(server);
  return rows.map((row) => `${row.id} ${row.version} ${row.isListed} ${row.sha512}`).sort();
}

/** When each was published. */
async function datesOf(server: TestServer): Promise<string[]> {
  const rows = await rowsOf(server);
  return rows.map((row) => `${row.id} ${row.version} ${row.published.toISOString()}`).sort();
}

/** What the audit log says of imports: where from, how many, by whom. */
async function importsOf({ services }: TestServer): Promise<unknown[]> {
  const entries = await services.audit.list({ limit: 1000 });
  return entries
    .filter(({ change }) => change.kind === 'packages imported')
    .map(({ change, by }) => [change.subject, change.detail, by.keyName]);
}

/** Another instance of this product with versions of every sort. */
async function sourceServer(options: TestServerOptions = {}, count = 250): Promise<TestServer> {
  const source = await newServer(options);
  const key = await makeKey(source, ['push', 'unlist']);
  const versions = [
    ...Array.from({ length: count }, (_one, n) => ['many', `1.0.${n}`]),
    ['odd', '1.0.0-beta'],
    ['odd', '1.0.0-rc.1+build.5'],
    ['odd', '1.0.0'],
    ['odd', '1.2.3.4'],
    ['Hidden', '1.0.0'],
    ['Hidden', '2.0.0'],
  ] as const;
  for (let at = 0; at < versions.length; at += 16) {
    const answers = versions.slice(at, at + 16).map(async ([id, version]) => {
      const { status } = await pushNupkg(source, makeNupkg({ id: `${id}`, version: `${version}` }), key);
      expect(status).toBe(201);
    });
    await Promise.all(answers);
  }
  for (const version of ['1.0.0', '2.0.0']) {
    const address = `${source.url}/nuget/Hidden/${version}`;
    await fetch(address, { method: 'DELETE', headers: { 'X-NuGet-ApiKey': key } });
  }
  return source;
}

describe('feed:import from a folder', () => {
  it('imports packages at any depth and under any name, and says why others were left out', async () => {
    const [dataDir, dir, outside] = [await tempDir(), await tempDir(), await tempDir()];
    await mkdir(join(dir, 'good', '1.0.0'), { recursive: true });
    await writeFile(join(dir, 'good', '1.0.0', 'whatever.nupkg'), makeNupkg({ id: 'good' }));
    await writeFile(join(dir, 'GOOD.2.NUPKG'), makeNupkg({ id: 'good', version: '2.0.0' }));
    await writeFile(join(dir, 'broken.nupkg'), 'no zip');
    await writeFile(join(dir, 'good.1.0.0.symbols.nupkg'), makeNupkg({ id: 'good' }));
    await writeFile(join(dir, 'mute.nupkg'), makeNupkg({ id: 'mute', metadata: { description: undefined } }));
    await writeFile(join(outside, 'secret.nupkg'), makeNupkg({ id: 'secret' }));
    if (process.platform !== 'win32') await symlink(outside, join(dir, 'link'));

    const result = await importInto(dataDir, dir, '--json');

    const lines = linesOf(result.stdout);
    expect(result.code).toBe(1);
    expect(lines.filter(({ kind }) => kind === 'imported').map(({ version }) => version)).toEqual(
      expect.arrayContaining(['1.0.0', '2.0.0']),
    );
    expect(lines.find(({ reason }) => reason?.includes('symbols'))?.kind).toBe('skipped');
    expect(lines.find(({ reason }) => reason?.includes('not a readable zip'))?.kind).toBe('refused');
    expect(lines.find(({ id }) => id === 'mute')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('no description'),
    });
    expect(lines.at(-1)).toMatchObject({ kind: 'end', imported: 2, refused: 2, skipped: 1, failed: 0 });
    expect((await contentsOf(dataDir)).map((line) => line.split(' ')[0])).toEqual(['good', 'good']);
  });

  it.each(['a data folder', 'a running server'])(
    'names what packages may download when they are installed, into %s',
    async (target) => {
      const dataDir = target === 'a data folder' ? await tempDir() : (await newServer()).dataDir;
      const dir = await tempDir();
      const installer =
        "Install-ChocolateyPackage 'a' 'exe' '/S' 'https://dl.example.org/a.exe' -Url64 'https://dl.example.org/a64.exe'";
      const scripts = { 'tools/chocolateyInstall.ps1': installer };
      await writeFile(join(dir, 'a.nupkg'), makeNupkg({ id: 'loads', files: scripts }));
      await writeFile(join(dir, 'b.nupkg'), makeNupkg({ id: 'whole' }));

      const shown = await importInto(dataDir, dir);

      expect(shown.code).toBe(0);
      expect(shown.stdout).toContain('  loads 1.0.0: https://dl.example.org/a.exe, and 1 more\n');
      expect(shown.stdout).not.toContain('whole');
      await writeFile(join(dir, 'c.nupkg'), makeNupkg({ id: 'loads', version: '2.0.0', files: scripts }));
      const lines = linesOf((await importInto(dataDir, dir, '--json')).stdout);
      expect(lines.find(({ version }) => version === '2.0.0')).toMatchObject({
        kind: 'imported',
        addresses: ['https://dl.example.org/a.exe', 'https://dl.example.org/a64.exe'],
      });
    },
  );

  it.each(['a data folder', 'a running server'])(
    "publishes and unlists nothing under reserved ids, unless the source has one's own, in %s",
    async (target) => {
      const reserved = { RESERVED_IDS: 'acme.*' };
      const dataDir =
        target === 'a data folder' ? await tempDir() : (await newServer({ reservedIds: ['acme.*'] })).dataDir;
      const run = (url: string, ...more: string[]) =>
        runVerbWith(
          target === 'a data folder' ? reserved : {},
          createCommand,
          dataDir,
          url,
          '--json',
          ...more,
        );
      const packages = [{ id: 'Acme.tool' }, { id: 'acme' }];
      const feed = await newServer();
      for (const one of packages) await pushNupkg(feed, makeNupkg(one), feed.adminKey);
      const refusal = expect.objectContaining({
        ...{ kind: 'refused', id: 'Acme.tool' },
        reason: expect.stringMatching(
          /^its id is reserved here \(RESERVED_IDS has acme\.\*\); .* add --reserved$/,
        ),
      });

      const first = await run(`${feed.url}/nuget`);
      expect(first.code).toBe(1);
      expect(linesOf(first.stdout)).toEqual([
        refusal,
        expect.objectContaining({ kind: 'imported', id: 'acme' }),
        expect.objectContaining({ kind: 'end', imported: 1, refused: 1 }),
      ]);
      expect(linesOf((await run(`${feed.url}/nuget`, '--reserved')).stdout).at(-1)).toMatchObject({
        ...{ imported: 1, there: 1 },
      });
      for (const { id } of packages)
        await fetch(`${feed.url}/nuget/${id}/1.0.0`, {
          method: 'DELETE',
          headers: { 'X-NuGet-ApiKey': feed.adminKey },
        });
      expect(linesOf((await run(`${feed.url}/nuget`)).stdout)).toEqual([
        refusal,
        expect.objectContaining({ kind: 'unlisted', id: 'acme' }),
        expect.objectContaining({ kind: 'end', unlisted: 1, refused: 1 }),
      ]);
    },
  );

  it('leaves existing packages alone, and refuses other bytes under the same version', async () => {
    const [dataDir, dir] = [await tempDir(), await tempDir()];
    const file = join(dir, 'a.nupkg');
    await writeFile(file, makeNupkg({ id: 'a' }));
    expect((await importInto(dataDir, dir)).stdout).toContain('1 imported');
    const before = await contentsOf(dataDir);

    expect(await importInto(dataDir, dir)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 here already'),
    });
    await writeFile(file, makeNupkg({ id: 'A', files: { 'tools/other.txt': 'other' } }));
    const conflict = await importInto(dataDir, dir);

    expect(conflict).toMatchObject({ code: 1, stdout: expect.stringContaining('with different content') });
    expect(await contentsOf(dataDir)).toEqual(before);
  });

  it('handles two files of one version as one or as a conflict, with any parallelism', async () => {
    const [dataDir, dir] = [await tempDir(), await tempDir()];
    await writeFile(join(dir, '1.nupkg'), makeNupkg({ id: 'a' }));
    await writeFile(join(dir, '2.nupkg'), makeNupkg({ id: 'a' }));
    await writeFile(join(dir, '3.nupkg'), makeNupkg({ id: 'a', files: { 'tools/other.txt': 'other' } }));

    const { code, stdout } = await importInto(dataDir, dir, '--json');

    expect(code).toBe(1);
    expect(await importsOf(await newServer({ dataDir }))).toEqual([[dir, '1 versions', 'operator']]);
    expect(linesOf(stdout).filter(({ kind }) => kind === 'imported')).toHaveLength(1);
    expect(linesOf(stdout).some(({ reason }) => reason?.includes('with different content'))).toBe(true);
  });

  it('lists in a dry run what would be imported, and imports nothing', async () => {
    const [dataDir, dir] = [await tempDir(), await tempDir()];
    for (const version of ['1.0.0', '2.0.0']) {
      await writeFile(join(dir, `a.${version}.nupkg`), makeNupkg({ id: 'a', version }));
    }

    const { code, stdout } = await importInto(dataDir, dir, '--dry-run');

    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID +VERSIONS +NEW .*\na +2 +2 +0 +0 +\S+ \S+\nall +2 +2 +0 +0 +\S+ \S+\n$/);
    expect(await contentsOf(dataDir)).toEqual([]);
  });

  it('reports an empty folder, which may be a missing share', async () => {
    const [dataDir, dir] = [await tempDir(), await tempDir()];

    const { code, stdout, stderr } = await importInto(dataDir, dir);

    expect(code).toBe(0);
    expect(stdout).toBe('       0 imported\n');
    expect(stderr).toContain(`${dir} has no packages.`);
  });
});

describe('feed:import from another instance', () => {
  it.each(['/nuget', '/api/v2/', '/v3/index.json'])(
    'copies all of %s behind a password: pages, prereleases, SemVer 2, unlisted versions, twice',
    async (path) => {
      const source = await sourceServer({ readAuth: 'feed' });
      const [dataDir, passwordFile] = [await tempDir(), join(await tempDir(), 'password')];
      await writeFile(passwordFile, `${await makeKey(source, ['read'])}\n`);
      // Search, which v3 has to go by, knows no ids without a listed version.
      const more = path.startsWith('/v3') ? ['--id', 'many', '--id', 'odd', '--id', 'hidden'] : [];
      const args = [`${source.url}${path}`, '--user', 'me', '--password-file', passwordFile, ...more];

      const anonymous = await importInto(dataDir, args[0] ?? '');
      const planned = await importInto(dataDir, ...args, '--dry-run');
      const first = await importInto(dataDir, ...args, '--json');
      const second = await importInto(dataDir, ...args, '--json');

      expect(anonymous).toMatchObject({ code: 1, message: expect.stringContaining('--password-file') });
      // v3 tells no sizes.
      expect(planned.stdout).toMatch(path.startsWith('/v3') ? /\nall .* unknown\n$/ : /\nall .* KiB\n$/);
      expect(first.code).toBe(0);
      expect(linesOf(first.stdout).at(-1)).toMatchObject({ imported: 256, refused: 0, failed: 0 });
      expect(linesOf(second.stdout).at(-1)).toMatchObject({ imported: 0, there: 256 });
      expect(await contentsOf(dataDir)).toEqual(await contentsOfServer(source));
      expect(`${first.stdout}${first.stderr}`).not.toContain((await readFile(passwordFile, 'utf8')).trim());
    },
  );

  it('goes through the running server, and follows when something is withdrawn at the source', async () => {
    const source = await sourceServer({}, 3);
    const target = await newServer();

    const first = await importInto(target.dataDir, `${source.url}/nuget`, '--json');
    await fetch(`${source.url}/nuget/odd/1.2.3.4`, {
      method: 'DELETE',
      headers: { 'X-NuGet-ApiKey': source.adminKey },
    });
    const second = await importInto(target.dataDir, `${source.url}/nuget`, '--json');

    expect(linesOf(first.stdout).at(-1)).toMatchObject({ imported: 9, refused: 0, failed: 0 });
    expect(linesOf(second.stdout).at(-1)).toMatchObject({ imported: 0, unlisted: 1, there: 8 });
    expect(await importsOf(target)).toEqual([[`${source.url}/nuget`, '9 versions', 'operator']]);
    expect(await contentsOfServer(target)).toEqual(await contentsOfServer(source));
    expect(await datesOf(target)).toEqual(await datesOf(source));
  });

  it('continues after packages that the running server refuses, and never prints its key', async () => {
    const [target, dir] = [await newServer(), await tempDir()];
    await writeFile(join(dir, 'a.nupkg'), makeNupkg({ id: 'mute', metadata: { description: undefined } }));
    await writeFile(join(dir, 'b.nupkg'), makeNupkg({ id: 'good' }));

    const { code, stdout, stderr } = await cli({ DATA_DIR: target.dataDir }, 'feed:import', dir, '--json');

    expect(code).toBe(1);
    expect(linesOf(stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'refused',
          id: 'mute',
          reason: expect.stringContaining('no description'),
        }),
        expect.objectContaining({ kind: 'imported', id: 'good' }),
        expect.objectContaining({ kind: 'end', imported: 1, refused: 1 }),
      ]),
    );
    expect(`${stdout}${stderr}`).not.toContain(findServer(target.dataDir)?.key);
    expect(stderr).not.toContain('    at ');
  });

  it('imports only the newest versions, some ids, no prereleases or no unlisted ones on request', async () => {
    const source = await sourceServer({}, 30);
    const dataDir = await tempDir();

    const flags = [
      '--newest',
      '2',
      '--no-prerelease',
      '--no-unlisted',
      '--id',
      'm*',
      '--id',
      'hidden',
      '--id',
      'ODD',
    ];
    const { code, stdout } = await importInto(dataDir, `${source.url}/nuget`, ...flags);

    expect(code).toBe(0);
    expect(stdout).toContain('skipped: a prerelease\n  odd 1.0.0-rc.1');
    expect(stdout).toContain('skipped: unlisted\n  Hidden 2.0.0');
    expect(stdout).toContain('and 8 more; --json lists all');
    const names = (await contentsOf(dataDir)).map((line) => line.split(' ').slice(0, 2).join(' '));
    expect(names).toEqual(['many 1.0.28', 'many 1.0.29', 'odd 1.0.0', 'odd 1.2.3.4']);
  });
});

/** As the bench does it: the packages of the folder, in a process of its own. */
async function startPeer(dir: string): Promise<string> {
  const args = ['--import', 'tsx', join(productDir, 'bench', 'peer-server.ts'), dir];
  const child = spawn(process.execPath, args, { cwd: productDir, stdio: ['ignore', 'pipe', 'ignore'] });
  undo.push(() => child.kill());
  const [address] = await once(child.stdout.setEncoding('utf8'), 'data');
  return String(address).trim();
}

describe('feed:import from express-chocolatey-server', () => {
  it('imports by id, and refuses packages that it sends under a wrong version', async () => {
    const [dataDir, dir] = [await tempDir(), await tempDir()];
    for (const [id, version] of [
      ['alone', '1.0.0'],
      ['two', '1.0.0'],
      ['two', '2.0.0'],
    ] as const) {
      await writeFile(
        join(dir, `${id}.${version}.nupkg`),
        makeNupkg({ id, version, metadata: { summary: id } }),
      );
    }
    const url = await startPeer(dir);

    const result = await importInto(dataDir, `${url}/`, '--id', 'alone', '--id', 'two', '--id', 'none');
    const whole = await importInto(dataDir, `${url}/`);

    expect(result.code).toBe(1);
    expect(result.stdout).toContain('2 imported');
    // Its download address has no version: it hands out the first.
    expect(result.stdout).toContain(
      'Expected the package two 2.0.0, as the source lists it, found two 1.0.0 in its nuspec.',
    );
    expect(result.stdout).toContain('has no package of this id\n  none');
    expect(whole).toMatchObject({ code: 1, message: expect.stringContaining('--id') });
  });
});

describe('feed:import from a small or hostile feed', () => {
  const nupkg = (id: string, version = '1.0.0') => ({ id, version, nupkg: makeNupkg({ id, version }) });

  it('works without counts, hashes, absolute links and semVerLevel, and keeps dates', async () => {
    const packages = Array.from({ length: 75 }, (_one, n) => nupkg('a', `1.0.${n}`));
    const [first, second, ...rest] = packages;
    const feed = await fakeFeed({
      packages: [
        { ...first!, properties: { PackageHash: undefined, PackageHashAlgorithm: undefined } },
        { ...second!, properties: { Published: '1900-01-01T00:00:00', Created: '2019-01-01T00:00:00Z' } },
        ...rest,
      ],
    });
    const dataDir = await tempDir();

    const { code, stdout } = await importInto(dataDir, `${feed.url}/feed`);
    const target = await newServer({ dataDir });

    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('75 imported') });
    const dates = await Promise.all(
      ['1.0.0', '1.0.1'].map((version) => target.services.catalog.find('a', version)),
    );
    expect(dates.map((row) => [row?.published.toISOString(), row?.isListed])).toEqual([
      ['2020-02-03T04:05:06.789Z', true],
      ['2019-01-01T00:00:00.000Z', false],
    ]);
  });

  it('refuses bytes that differ from the announced hash, and packages under a false name', async () => {
    const feed = await fakeFeed({
      packages: [
        { ...nupkg('wrong-hash'), properties: { PackageHash: Buffer.alloc(64).toString('base64') } },
        { ...nupkg('false-name'), nupkg: makeNupkg({ id: 'other' }) },
        nupkg('good'),
      ],
    });
    const dataDir = await tempDir();

    const { code, stdout } = await importInto(dataDir, `${feed.url}/feed`);

    expect(code).toBe(1);
    expect(stdout).toMatch(/refused: The bytes have the SHA512 \S+, but the source announces/);
    expect(stdout).toContain(
      'Expected the package false-name 1.0.0, as the source lists it, found other 1.0.0',
    );
    expect((await contentsOf(dataDir)).map((line) => line.split(' ')[0])).toEqual(['good']);
  });

  it.each(['alone', 'through the running server'])(
    'imports nothing larger than MAX_PACKAGE_BYTES, announced or not, %s',
    async (way) => {
      const large = makeNupkg({ id: 'large', files: { 'tools/large.bin': randomBytes(8_192) } });
      const feed = await fakeFeed({
        packages: [
          { ...nupkg('announced'), nupkg: large, properties: { PackageSize: String(large.length) } },
          { ...nupkg('large'), nupkg: large },
          nupkg('small'),
        ],
      });
      const dataDir = way === 'alone' ? await tempDir() : (await newServer()).dataDir;
      const env = { MAX_PACKAGE_BYTES: '8192' };

      const { code, stdout } = await runVerbWith(env, createCommand, dataDir, `${feed.url}/feed`, '--json');

      expect(code).toBe(1);
      const refused = linesOf(stdout).filter(({ kind }) => kind === 'refused');
      expect(refused.map(({ id }) => id)).toEqual(['announced', 'large']);
      expect(refused.every(({ reason }) => reason?.includes('8192'))).toBe(true);
      expect(linesOf(stdout).at(-1)).toMatchObject({ imported: 1, refused: 2 });
      expect(feed.requests.some(({ line }) => line.includes('/dl/announced/'))).toBe(false);
    },
  );

  it('sends the password to its origin and to no other', async () => {
    const elsewhere = await fakeFeed({ packages: [nupkg('a')] });
    const feed = await fakeFeed({
      packages: [nupkg('a')],
      instead(request, response) {
        if (!request.url?.startsWith('/feed/dl/')) return false;
        response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end();
        return true;
      },
    });
    const [dataDir, passwordFile] = [await tempDir(), join(await tempDir(), 'password')];
    await writeFile(passwordFile, 'secret-word');

    const args = [`${feed.url}/feed`, '--user', 'me', '--password-file', passwordFile];
    const result = await importInto(dataDir, ...args);

    expect(result.code).toBe(0);
    const expected = `Basic ${Buffer.from('me:secret-word').toString('base64')}`;
    expect(new Set(feed.requests.map(({ authorization }) => authorization))).toEqual(new Set([expected]));
    expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('stops at a feed whose pages lead in circles, and at something that is not a feed', async () => {
    const circle = await fakeFeed({
      packages: [nupkg('a')],
      instead(request, response) {
        if (!request.url?.includes('Packages()')) return false;
        const next = `<link rel="next" href="Packages()?n=${Math.random()}"/>`;
        response.end(`<feed xml:base="/feed/">${next}</feed>`);
        return true;
      },
    });
    const page = await fakeFeed({
      packages: [],
      instead: (_request, response) =>
        Boolean(response.end('<!DOCTYPE html><html><body>Hello</body></html>')),
    });
    const dataDir = await tempDir();

    const [first, second] = [
      await importInto(dataDir, `${circle.url}/feed`),
      await importInto(dataDir, `${page.url}/feed`),
    ];

    expect(first).toMatchObject({ code: 4, message: expect.stringContaining('circles') });
    expect(second).toMatchObject({
      code: 4,
      message: expect.stringMatching(/127\.0\.0\.1:\d+ answers with a page of HTML/),
    });
  });

  it('retries when a transfer breaks off', async () => {
    let isBroken = false;
    const feed = await fakeFeed({
      packages: [nupkg('a')],
      instead(request, response) {
        if (isBroken || !request.url?.startsWith('/feed/dl/')) return false;
        isBroken = true;
        response.writeHead(200, { 'content-length': '5000' });
        response.write('half of it', () => response.destroy());
        return true;
      },
    });

    expect(await importInto(await tempDir(), `${feed.url}/feed`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 imported'),
    });
  });

  it('goes on where a killed run stopped, and ends with 130 when interrupted', async () => {
    const packages = Array.from({ length: 60 }, (_one, n) => nupkg('a', `1.0.${n}`));
    let downloads = 0;
    let onDownload: () => void = () => undefined;
    const feed = await fakeFeed({
      packages,
      instead(request) {
        if (request.url?.startsWith('/feed/dl/')) {
          downloads += 1;
          if (downloads === 20) onDownload();
        }
        return false;
      },
    });
    const dataDir = await tempDir();

    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      downloads = 0;
      const args = [mainJs, 'feed:import', `${feed.url}/feed`, '--parallel', '2'];
      const child = spawn(process.execPath, args, {
        cwd: productDir,
        env: { ...process.env, DATA_DIR: dataDir },
        stdio: 'ignore',
      });
      onDownload = () => child.kill(signal);
      const [code] = await once(child, 'exit');
      if (signal === 'SIGINT' && process.platform !== 'win32') expect(code).toBe(130);
    }
    const kept = await contentsOf(dataDir);
    const last = await importInto(dataDir, `${feed.url}/feed`, '--json');

    expect(kept.length).toBeGreaterThanOrEqual(20);
    expect(kept.length).toBeLessThan(60);
    expect(last.code).toBe(0);
    expect(linesOf(last.stdout).at(-1)).toMatchObject({ there: kept.length, imported: 60 - kept.length });
    expect(await contentsOf(dataDir)).toHaveLength(60);
  });

  it('ends with 4 when the source cannot be reached', async () => {
    const gone = await fakeFeed({ packages: [] });
    await gone.stop();

    const result = await importInto(await tempDir(), `${gone.url}/feed`);

    expect(result).toMatchObject({ code: 4, message: expect.stringContaining('cannot be reached') });
  });

  it.each([
    [['/nowhere/at/all'], 'is not there'],
    [['https://me:secret@example.org/nuget'], '--password-file'],
    [['http://example.org/nuget', '--user', 'me'], 'go together'],
    [['http://example.org/nuget', '--newest', '0'], 'Expected a number'],
    [[], 'missing required argument'],
  ])('ends with 2 for %j', async (args, words) => {
    const result = await importInto(await tempDir(), ...args);

    expect(result.code).toBe(2);
    expect(`${result.message}${result.stderr}`).toContain(words);
    expect(`${result.message}${result.stderr}`).not.toContain('secret');
  });
});

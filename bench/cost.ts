/** `tsx bench/cost.ts`: what an installation costs (docs/operate/cost.md): disk, log, metrics, traces, on a feed made for it. */
import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createCommand as createBackup } from '../server/verbs/backup.ts';
import { createGitClient, type GitClient } from '../test/kit/git.ts';
import { makeNupkg } from '../test/kit/nupkg.ts';
import { runVerb } from '../test/kit/operator-fixture.ts';
import { startOtlpReceiver, tracingTo } from '../test/kit/otlp-receiver.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../test/kit/test-server.ts';

const [packages, releases, recipients] = [1_000, 100, 4_000];
const exeBytes = 100_000;

const asked: Readonly<Record<string, string>> = {
  'a list (FindPackagesById)': "/nuget/FindPackagesById()?id='sample'&$top=10",
  'a search (v3)': '/v3/search?q=sample&take=20',
  'a manifest for Scoop': '/m/tool1.json',
  'a package': '/nuget/package/Sample/1.1.0',
  'a payload': '/dl/tool1/1.4.0/tool1-windows-amd64.exe',
  'an unknown package (404)': '/nuget/package/none/1.0.0',
};

const dir = await makeTempDir();
const dataDir = join(dir, 'data');
const say = (what: string, value: number, unit: string): void => {
  process.stdout.write(
    `${what.padEnd(64)} ${Number.isInteger(value) || value >= 10 ? Math.round(value) : value.toFixed(2)} ${unit}\n`,
  );
};

try {
  await measureDisk();
  await measureRequests();
  await measureTraces();
} finally {
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** Sizes as `du --apparent-size` has them, of a folder that nobody uses: the log of the database is in its file then. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Pages in use: those of small packages are free again when their files are on the disk (decision 17). */
function databaseBytes(): number {
  const db = new Database(join(dataDir, 'catalog.db'), { readonly: true });
  const pragma = (name: string): number => Number(db.pragma(name, { simple: true }));
  const bytes = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  db.close();
  return bytes;
}

async function parts(): Promise<{ database: number; blobs: number; bucket: number }> {
  return {
    database: databaseBytes(),
    blobs: await sizeOf(join(dataDir, 'blobs')),
    bucket: await sizeOf(join(dataDir, 'bucket')),
  };
}

/** What work adds to each part of the data folder. */
async function growth(work: (server: TestServer) => Promise<void>) {
  const before = await parts();
  const server = await startTestServer({ dataDir, accessLog: 'off' });
  await work(server);
  await server.stop();
  const after = await parts();
  return {
    database: after.database - before.database,
    blobs: after.blobs - before.blobs,
    bucket: after.bucket - before.bucket,
  };
}

async function measureDisk(): Promise<void> {
  await (await startTestServer({ dataDir })).stop();
  let nupkgBytes = 0;
  const pushed = await growth(async (server) => {
    for (let n = 0; n < packages; n++) {
      const version = `1.${Math.floor(n / 20)}.${n % 20}`;
      const nupkg = makeNupkg({ id: 'Sample', version, files: { 'tools/a.exe': randomBytes(2_000) } });
      nupkgBytes += nupkg.length;
      const { status } = await pushNupkg(server, nupkg, server.adminKey);
      if (status !== 201) throw new Error(`a push was answered ${status}`);
    }
  });
  say('database, for each version of a package, audit entry included', pushed.database / packages, 'bytes');
  say('blobs, for each byte of a pushed package', pushed.blobs / nupkgBytes, 'bytes');

  const git = await createGitClient(dir, 'an-admin-key-for-tests');
  const released = await growth((server) => release(server, git));
  say('database, for each release of a tool to the bucket', released.database / releases, 'bytes');
  say('blobs, for each byte of an exe for Scoop', released.blobs / (releases * exeBytes), 'bytes');
  say('bucket, for each release (two branches, a tag)', released.bucket / releases, 'bytes');

  const downloaded = await growth(async ({ services }) => {
    for (let n = 0; n < recipients; n++) {
      const from = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
      services.downloads.note({ id: 'sample', version: '1.0.0' }, { from, client: 'NuGet Command Line/6.0' });
    }
  });
  say('database, for each recipient of a version', downloaded.database / recipients, 'bytes');

  const whole = await sizeOf(dataDir);
  for (const name of ['feed.tar', 'feed.tgz']) {
    const file = join(dir, name);
    const { error } = await runVerb(createBackup, dataDir, file);
    if (error !== undefined) throw error;
    say(`backup ${name}, for each byte of the data folder`, (await stat(file)).size / whole, 'bytes');
  }
}

/** As the generator does: payload, then one push with both branches and a tag. */
async function release(server: TestServer, git: GitClient): Promise<void> {
  const clone = await git.clone(`${server.url}/git/main/go-win-tools.git`, 'work');
  await git.run(clone, 'branch', 'beta', 'origin/beta');
  for (let n = 0; n < releases; n++) {
    const [tool, version] = [`tool${n % 20}`, `1.${Math.floor(n / 20)}.0`];
    const url = `${server.url}/dl/${tool}/${version}/${tool}-windows-amd64.exe`;
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    const answer = await fetch(url, { method: 'PUT', headers, body: randomBytes(exeBytes) });
    const hash = (await answer.text()).trim();
    const manifest = {
      version,
      description: 'A tool of the usual kind, with a description of some length.',
      homepage: 'https://example.org/a/tool',
      license: 'Apache-2.0',
      architecture: { '64bit': { url: `${url}#/${tool}.exe`, hash } },
      bin: `${tool}.exe`,
    };
    const text = `${JSON.stringify(manifest, undefined, 4)}\n`;
    await git.commit(clone, `${tool}: Update to version ${version}`, { [`bucket/${tool}.json`]: text });
    await git.run(clone, 'branch', '-f', 'beta', 'main');
    const tag = `${tool}/v${version}`;
    await git.run(clone, 'tag', tag);
    await git.run(clone, 'push', '-q', '--atomic', 'origin', 'main', 'beta', tag);
  }
}

async function measureRequests(): Promise<void> {
  for (const accessLog of ['all', 'errors', 'off'] as const) {
    const server = await startTestServer({ dataDir, accessLog });
    if (accessLog === 'all') await measureMetrics(server, 'at the start');
    for (const [what, path] of Object.entries(asked)) {
      const logged = await logOf(server, async () => {
        for (let n = 0; n < 20; n++) await (await fetch(`${server.url}${path}`)).arrayBuffer();
      });
      say(`log with ACCESS_LOG=${accessLog}, for ${what}`, logged / 20, 'bytes');
    }
    if (accessLog === 'all') await measureMetrics(server, 'in use');
    await server.stop();
  }
}

async function logOf(server: TestServer, work: () => Promise<void>): Promise<number> {
  const before = server.logged().length;
  await work();
  // Lines of requests are written in batches.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return server.logged().length - before;
}

async function measureMetrics({ url }: TestServer, when: string): Promise<void> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const rows = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  say(
    `metrics ${when}: series of the feed (gwt_), 20 tools`,
    rows.filter((row) => row.startsWith('gwt_')).length,
    '',
  );
  say(`metrics ${when}: series of the process`, rows.filter((row) => !row.startsWith('gwt_')).length, '');
  say(`metrics ${when}: the page`, page.length, 'bytes');
}

/** Every request is kept here; the usual shares are a factor. */
async function measureTraces(): Promise<void> {
  const collector = await startOtlpReceiver();
  const shares = { publishing: 1, other: 1 };
  const server = await startTestServer({
    dataDir,
    accessLog: 'off',
    tracing: tracingTo(collector.url, shares),
  });
  async function traced(what: string, count: number, work: (n: number) => Promise<unknown>): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [bytes, spans] = [collector.bytes().length, collector.spans.length];
    for (let n = 0; n < count; n++) await work(n);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    say(`traces: ${what}: spans`, Math.round((collector.spans.length - spans) / count), '');
    say(`traces: ${what}: protobuf`, (collector.bytes().length - bytes) / count, 'bytes');
  }
  for (const [what, path] of Object.entries(asked))
    await traced(what, 50, async () => (await fetch(`${server.url}${path}`)).arrayBuffer());
  await traced('a push of a package', 50, (n) =>
    pushNupkg(server, makeNupkg({ id: 'Traced', version: `1.0.${n}` }), server.adminKey),
  );
  await server.stop();
  await collector.stop();
}

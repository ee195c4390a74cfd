import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { printReleaseRecord } from '../../formats/release-record.ts';
import { compareScoopVersions } from '../../formats/scoop-version.ts';
import { startForge } from '../kit/forge.ts';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { download, versionsOn } from '../kit/published.ts';
import { recordOn } from '../kit/record-on.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { makeKey, makeTempDir, productDir, pushNupkg, type TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

/** A fixture whose beta of delve is 1.26.2. */
async function startWithBeta(): Promise<ReleaseFixture> {
  const delve = ['1.27.2', '1.26.3', '1.26.2'].map((version) => delveRelease(version));
  const fixture = await startReleaseFixture({ repositories: { 'go-delve/delve': delve }, scopes: ['push'] });
  await fixture.generator.run('release:beta', ['delve@1.26.2', '--out', 'beta']);
  return fixture;
}

/** From a beta to a stable version, over real HTTP and git. */
describe('release:promote', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let generator: Generator;
  let git: GitClient;

  beforeEach(async () => {
    fixture = await startWithBeta();
    ({ server, generator } = fixture);
    git = await createGitClient(await makeTempDir());
  });
  afterEach(() => fixture.stop());

  it('publishes the same exes under the stable version to feed, main and beta, and a second run changes nothing', async () => {
    const result = await generator.run('release:promote', ['delve']);

    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('delve 1.26.2: promoted') });
    for (const file of ['dlv-windows-amd64.exe', 'dlv-windows-arm64.exe', 'delve.cdx.json']) {
      const [beta, stable] = await Promise.all(
        ['1.26.2-beta.1', '1.26.2'].map((version) => download(`${server.url}/dl/delve/${version}/${file}`)),
      );
      expect(stable!.equals(beta!), file).toBe(true);
    }
    const clone = await git.clone(`${server.url}/git/main/go-win-tools.git`, 'promoted');
    const blobs = await Promise.all(
      ['main', 'beta'].map((branch) => git.run(clone, 'rev-parse', `origin/${branch}:bucket/delve.json`)),
    );
    expect(blobs[0]).toBe(blobs[1]);
    expect(await git.run(clone, 'rev-parse', 'delve/v1.26.2')).toBe(
      await git.run(clone, 'rev-parse', 'origin/main'),
    );
    expect(await git.run(clone, 'log', '--format=%s', 'origin/beta')).toBe(
      'delve: Update to version 1.26.2\ndelve: Update to version 1.26.2-beta.1\n(chore): Begin the bucket',
    );

    const second = await generator.run('release:promote', ['delve']);

    expect(second).toMatchObject({
      exitCode: 0,
      stdout: 'delve 1.26.2: nothing to do, main already offers 1.26.2\n',
    });
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.2', '1.26.2-beta.1']);
  });

  it("makes every step an upgrade in Scoop's order", async () => {
    await generator.run('release:promote', ['delve']);
    await generator.run('release:beta', ['delve@1.26.3']);
    await generator.run('release:promote', ['delve@1.26.3-beta.1']);

    const clone = await git.clone(`${server.url}/git/beta/go-win-tools.git`, 'steps');
    const subjects = (await git.run(clone, 'log', '--reverse', '--format=%s', 'origin/beta'))
      .split('\n')
      .slice(1);
    const versions = subjects.map((subject) => subject.split(' ').at(-1)!);

    expect(versions).toEqual(['1.26.2-beta.1', '1.26.2', '1.26.3-beta.1', '1.26.3']);
    for (const [at, version] of versions.slice(1).entries()) {
      expect(compareScoopVersions(version, versions[at]!)).toBeGreaterThan(0);
    }
  });

  it('leaves beta alone when it is ahead', async () => {
    await generator.run('release:beta', ['delve@1.27.2']);

    const result = await generator.run('release:promote', ['delve@1.26.2']);

    expect(result.exitCode).toBe(0);
    expect(await manifestVersion(server, 'main')).toBe('1.26.2');
    expect(await manifestVersion(server, 'beta')).toBe('1.27.2-beta.1');
  });

  it('has nothing to do for a promoted release, and makes a correction of a changed one', async () => {
    await generator.run('release:promote', ['delve']);
    expect((await generator.run('release:beta', ['delve@1.26.2'])).stdout).toContain('nothing to do');

    const rebuilt = await startForge();
    rebuilt.addRepository('go-delve/delve', [delveRelease('1.26.2', { filler: 'rebuilt' })]);
    const env = { GITHUB_API_URL: rebuilt.apiUrl };
    const beta = await generator.run('release:beta', ['delve@1.26.2'], { env });
    const stable = await generator.run('release:promote', ['delve'], { env });
    await rebuilt.stop();

    expect(beta.stdout).toContain('delve 1.26.2.1-beta.1: released');
    expect(stable.stdout).toContain('delve 1.26.2.1: promoted');
    expect(await manifestVersion(server, 'main')).toBe('1.26.2.1');
  });

  it('publishes nothing in a dry run, whose files equal the published ones', async () => {
    await generator.run('release:promote', ['delve', '--dry-run', '--out', 'made']);
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.2-beta.1']);

    await generator.run('release:promote', ['delve', '--out', 'published']);

    for (const name of ['delve.1.26.2.nupkg', 'delve.json', 'delve.1.26.2.release.json']) {
      const made = await readFile(join(generator.dir, 'made', name));
      expect(made.equals(await readFile(join(generator.dir, 'published', name))), name).toBe(true);
    }
  });

  it('refuses a beta that is younger than the tool file requires, unless a reason is given, which is kept', async () => {
    const dir = await makeTempDir();
    const file = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
    await writeFile(join(dir, 'delve.yaml'), `${file}\nminAge: 3d\n`);
    const env = { TOOLS_DIR: dir };

    const status = await generator.run('release:status', ['delve', '--json'], { env });
    const refused = await generator.run('release:promote', ['delve'], { env });
    const before = await versionsOn(server, 'delve');
    const usage = await generator.run('release:promote', ['delve', '--now'], { env });
    const hurried = await generator.run('release:promote', ['delve', '--now', '--reason', 'fixes  a hole'], {
      env,
    });

    expect(JSON.parse(status.stdout)).not.toHaveProperty('promotable');
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /delve 1\.26\.2 cannot become stable yet: expected its beta 1\.26\.2-beta\.1 to be at least 3d old, found 0h\.\n {2}Wait until \d{4}-.*Z, or promote it now and say why: --now --reason TEXT/,
      ),
    });
    expect(before).toEqual(['1.26.2-beta.1']);
    expect(usage).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--now needs --reason TEXT'),
    });
    expect(hurried.exitCode, hurried.stderr).toBe(0);
    const clone = await git.clone(`${server.url}/git/main/go-win-tools.git`, 'hurried');
    expect(await git.run(clone, 'log', '-1', '--format=%b', 'origin/main')).toContain(
      'promoted with --now: fixes a hole',
    );
    const audit = await fetch(`${server.url}/api/v1/audit?id=delve`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    expect(((await audit.json()) as { entries: object[] }).entries).toContainEqual(
      expect.objectContaining({
        kind: 'package published',
        version: '1.26.2',
        detail: 'promoted with --now: fixes a hole',
      }),
    );
  });

  it('shows Scoop and SBOM under the name of the tool, where the package has another id', async () => {
    const dir = await makeTempDir();
    const file = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
    await writeFile(join(dir, 'delve.yaml'), `${file}\npackageId: bank-delve\n`);
    const env = { TOOLS_DIR: dir };
    for (const verb of ['release:beta', 'release:promote']) {
      expect((await generator.run(verb, ['delve@1.26.3'], { env })).exitCode).toBe(0);
    }

    for (const path of ['/', '/packages/bank-delve']) {
      const html = (await download(`${server.url}${path}`)).toString();
      expect(html).toContain('choco install bank-delve ');
      expect(html).toContain('scoop install go-win-tools/delve');
      expect(html).not.toContain('go-win-tools/bank-delve');
    }
    const html = (await download(`${server.url}/packages/bank-delve`)).toString();
    const sboms = html.match(/[^"]+\.cdx\.json/g);
    expect(sboms).toEqual(['/dl/delve/1.26.3/delve.cdx.json', '/dl/delve/1.26.3-beta.1/delve.cdx.json']);
    for (const path of sboms!) expect((await fetch(server.url + path)).status).toBe(200);
  });

  it('shows no Scoop command for a package that only claims to be a tool', async () => {
    await generator.run('release:promote', ['delve']);
    const record = printReleaseRecord(await recordOn(server, 'delve', '1.26.2'));
    const files = { 'tools/release.json': record, 'tools/dlv.exe': 'MZ another program' };
    const other = makeNupkg({ id: 'other', version: '1.26.2', files });
    expect((await pushNupkg(server, other, await makeKey(server, ['push'], ['other']))).status).toBe(201);

    const html = (await download(`${server.url}/packages/other`)).toString();

    expect(html).toContain('choco install other ');
    expect(html).not.toContain('scoop install');
    expect(html).not.toContain('delve.cdx.json');
  });

  it('shows who released the beta, by which run, and which of its parts came by another key', async () => {
    const run = {
      GITHUB_SERVER_URL: 'https://git.example',
      GITHUB_REPOSITORY: 'acme/tools',
      GITHUB_RUN_ID: '42',
    };
    const other = await makeKey(server, ['push:beta']);
    const early = await fetch(`${server.url}/dl/delve/1.26.3-beta.1/other-windows-amd64.exe`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': other },
      body: 'by somebody else',
    });
    expect(early.status).toBe(201);
    const FEED_API_KEY = await makeKey(server, ['push'], [], 'platform team');
    await generator.run('release:beta', ['delve@1.26.3'], { env: { ...run, FEED_API_KEY } });

    const told = await generator.run('release:promote', ['delve', '--dry-run']);
    const json = await generator.run('release:promote', ['delve', '--dry-run', '--json']);
    const asked = (key: string) =>
      fetch(`${server.url}/api/v1/releases/delve/1.26.3-beta.1`, { headers: { 'X-NuGet-ApiKey': key } });

    expect(told.stderr).toMatch(
      /released by +key push \(platform team\) at \d{4}-\S+Z, run https:\/\/git\.example\/acme\/tools\/actions\/runs\/42\n/,
    );
    const plan = json.stdout.split('\n').find((line) => line.includes('"event":"plan"'));
    expect(JSON.parse(plan!)).toMatchObject({
      releasedBy: {
        key: 'push',
        owner: 'platform team',
        run: 'https://git.example/acme/tools/actions/runs/42',
        others: [{ what: 'other-windows-amd64.exe', key: 'push:beta' }],
      },
    });
    expect((await asked(other)).status).toBe(403);
    const answer = (await (await asked(server.adminKey)).json()) as {
      entries: { kind: string; detail?: string; owner?: string }[];
    };
    expect(new Set(answer.entries.map(({ kind }) => kind))).toEqual(
      new Set(['payload added', 'package published', 'bucket moved']),
    );
    expect(answer.entries.find(({ kind }) => kind === 'bucket moved')).toMatchObject({
      detail: 'run https://git.example/acme/tools/actions/runs/42',
      owner: 'platform team',
    });
  });

  it('shows in the status what is published and what a run would do, even without upstream', async () => {
    const waiting = await generator.run('release:status', ['delve', '--json']);
    expect(JSON.parse(waiting.stdout)).toMatchObject({ beta: '1.26.2-beta.1', promotable: '1.26.2-beta.1' });
    const said = await generator.run('release:status', ['delve']);
    await generator.run('release:promote', ['delve']);

    expect(said.stdout).toContain('can be promoted: 1.26.2-beta.1, by `release:promote delve`');
    const { stdout } = await generator.run('release:status', ['delve']);
    const offline = await generator.run('release:status', ['delve', '--json'], {
      env: { GITHUB_API_URL: nowhere },
    });

    expect(stdout.split('\n')[1]).toMatch(
      /^delve +1\.27\.2 +1\.26\.2 +1\.26\.2 +release 1\.27\.2-beta\.1 from github/,
    );
    // no source answers: the row is whole, and the exit code says so
    expect(offline.exitCode).toBe(4);
    expect(JSON.parse(offline.stdout)).not.toHaveProperty('promotable');
    expect(JSON.parse(offline.stdout)).toMatchObject({
      event: 'status',
      tool: 'delve',
      upstream: 'unknown',
      beta: '1.26.2',
      main: '1.26.2',
      next: expect.stringContaining('source github cannot be reached'),
    });
  });
});

/** One fixture for all, in which nothing may have been published at the end. */
describe('release:promote that promotes nothing', () => {
  let fixture: ReleaseFixture;
  let server: TestServer;
  let generator: Generator;

  beforeAll(async () => {
    fixture = await startWithBeta();
    ({ server, generator } = fixture);
  });
  afterAll(async () => {
    const versions = await versionsOn(server, 'delve');
    await fixture.stop();
    expect(versions).toEqual(['1.26.2-beta.1']);
  });

  it.each([
    [
      ['delve@9.9.9'],
      1,
      'there is no beta of 9.9.9 on the feed.\n  Its newest there: 1.26.2-beta.1. `release:beta delve@9.9.9` makes another.',
    ],
    [
      ['delve@1.26.2-beta.7'],
      1,
      'there is no 1.26.2-beta.7 on the feed.\n  Its newest there: 1.26.2-beta.1.',
    ],
    [['buf'], 1, 'there is no beta on the feed.\n  Run `release:beta buf` first.'],
    [['nosuch'], 1, 'There is no tool nosuch'],
    [[], 2, 'missing required argument'],
  ])('answers %j with exit %i', async (args, exitCode, sentence) => {
    expect(await generator.run('release:promote', args)).toMatchObject({
      exitCode,
      stderr: expect.stringContaining(sentence),
    });
  });

  it('is refused with a key for betas, and then nothing moves', async () => {
    const env = { FEED_API_KEY: await makeKey(server, ['push:beta']) };

    const result = await generator.run('release:promote', ['delve'], { env });

    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('does not have the scope push for delve; it has: push:beta'),
    });
    expect(result.stderr).not.toContain('upload');
    expect(await versionsOn(server, 'delve')).toEqual(['1.26.2-beta.1']);
    expect((await fetch(`${server.url}/m/delve.json`)).status).toBe(404);
  });

  it.each([
    [['bank-*'], 'which does not include delve; this needs a key for package bank-delve and tool delve'],
    [['delve'], 'which does not include bank-delve; this needs a key for package bank-delve and tool delve'],
  ])('needs a key for package id and tool, not for %j alone', async (ids, sentence) => {
    const dir = await makeTempDir();
    const file = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
    await writeFile(join(dir, 'delve.yaml'), `${file}\npackageId: bank-delve\n`);
    const env = { TOOLS_DIR: dir, FEED_API_KEY: await makeKey(server, ['push'], ids) };
    const before = await versionsOn(server, 'delve');

    const result = await generator.run('release:beta', ['delve@1.26.3'], { env });

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`is limited to ${ids}, ${sentence}`);
    expect(await versionsOn(server, 'delve')).toEqual(before);
  });

  it('promotes a named tool whatever another file says; of all tools only the invalid one fails', async () => {
    const dir = await makeTempDir();
    const file = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
    await writeFile(join(dir, 'delve.yaml'), file);
    await writeFile(join(dir, 'esbuild.yaml'), 'tool: esbuild\n');
    const env = { TOOLS_DIR: dir };

    const named = await generator.run('release:status', ['delve'], { env });
    const all = await generator.run('release:status', [], { env });
    const bad = await generator.run('release:beta', ['esbuild'], { env });
    const made = await generator.run('release:beta', ['--dry-run'], { env });

    expect(named).toMatchObject({ exitCode: 0, stderr: '' });
    expect(all.exitCode).toBe(2);
    expect(all.stdout).toMatch(/^delve +1\.27\.2/m);
    expect(all.stderr).toContain('esbuild.yaml is not a valid tool file: line 1: command is missing');
    expect(bad).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('esbuild.yaml is not') });
    expect(made).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('1 of 2 failed: esbuild.') });
  });

  it('names the feed where FEED_URL is the server', async () => {
    for (const verb of ['release:status', 'release:verify', 'release:promote']) {
      const result = await generator.run(verb, ['delve'], { env: { FEED_URL: server.url } });

      expect(result).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`its feed is ${server.url}/nuget`),
      });
    }
  });
});

async function manifestVersion(server: TestServer, channel: 'main' | 'beta'): Promise<string> {
  const path = channel === 'main' ? 'm/delve.json' : 'm/beta/delve.json';
  return ((await (await fetch(`${server.url}/${path}`)).json()) as { version: string }).version;
}

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { makeTinyExe } from '../kit/exe.ts';
import type { FakePackage } from '../kit/fake-feed.ts';
import { delveRelease, withChecksums } from '../kit/generator.ts';
import { createGitClient } from '../kit/git.ts';
import { listen } from '../kit/listen.ts';
import { hasNuget, makeNuget } from '../kit/nuget.ts';
import { type SmallStart, startSmall } from '../kit/small-start.ts';
import { productDir } from '../kit/test-server.ts';
import { makeVuln, startVulnServer } from '../kit/vulndb.ts';

/** Without a server of ours: a feed of another make, a bare repository, and files that somebody else serves. */
describe('release verbs with existing places', () => {
  let small: SmallStart;
  // a zip holds the time of its making, so there is one
  const release = delveRelease('1.26.3');

  beforeEach(async () => {
    small = await startSmall([release]);
  });
  afterEach(() => small.stop());

  it('promises no missing file, names it, and keeps it for whoever uploads it', async () => {
    const made = join(small.dir, 'made');

    const first = await small.generator.run('release:beta', ['delve', '--out', made]);

    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain(
      `${small.files.url}/delve/1.26.3-beta.1/dlv-windows-amd64.exe does not exist (404`,
    );
    expect(small.feed.packages).toEqual([]);
    expect(small.branches()).toEqual([]);

    await small.serve(made);
    const second = await small.generator.run('release:beta', ['delve']);

    expect(second).toMatchObject({ exitCode: 0 });
    expect(small.feed.packages.map(({ id, version }) => `${id} ${version}`)).toEqual(['delve 1.26.3-beta.1']);
    const { architecture, checkver, autoupdate } = small.manifest('beta');
    for (const { url, hash } of Object.values(architecture)) {
      const body = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect(digestBytes(body).sha256).toBe(hash);
    }
    // a feed of another make has no manifests to be asked for
    expect(checkver).toBeUndefined();
    expect(autoupdate).toBeDefined();
    expect(await small.generator.run('release:beta', ['delve'])).toMatchObject({ exitCode: 0 });
    expect(small.feed.packages).toHaveLength(1);
  });

  it('promotes once the files of the stable version are there too', async () => {
    const made = join(small.dir, 'made');
    await small.generator.run('release:beta', ['delve', '--dry-run', '--out', made]);
    await small.serve(made);
    await small.generator.run('release:beta', ['delve']);

    expect(await small.generator.run('release:promote', ['delve', '--out', made])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('/delve/1.26.3/dlv-windows-amd64.exe does not exist'),
    });
    await small.serve(made);
    expect(await small.generator.run('release:promote', ['delve'])).toMatchObject({ exitCode: 0 });

    expect(small.feed.packages.map(({ version }) => version)).toEqual(['1.26.3-beta.1', '1.26.3']);
    expect(small.manifest('main')).toEqual(small.manifest('beta'));
    expect(await status()).toMatchObject({ tool: 'delve', beta: '1.26.3', main: '1.26.3' });
  });

  it('refuses other bytes than it packed, such as an error page with status 200', async () => {
    const made = join(small.dir, 'made');
    await small.generator.run('release:beta', ['delve', '--dry-run', '--out', made]);
    await small.serve(made);
    const page = await listen((_, response) => response.writeHead(200).end('<html>Not found</html>'));

    const env = { PAYLOAD_URL: `${page.url}/{tool}/{version}/{file}` };
    const result = await small.generator.run('release:beta', ['delve'], { env });
    await page.stop();

    expect(result).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('expected SHA-256') });
    expect(small.feed.packages).toEqual([]);
    expect(small.branches()).toEqual([]);
  });

  it('refuses a hash file that does not match its file', async () => {
    const made = join(small.dir, 'made');
    await small.generator.run('release:beta', ['delve', '--dry-run', '--out', made]);
    await small.serve(made);
    const name = join(small.dir, 'www', 'delve', '1.26.3-beta.1', 'dlv-windows-arm64.exe.sha256');
    await cp(join(small.dir, 'www', 'delve', '1.26.3-beta.1', 'dlv-windows-amd64.exe.sha256'), name);

    expect(await small.generator.run('release:beta', ['delve'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('dlv-windows-arm64.exe.sha256 is refused'),
    });
  });

  it("names upstream's own archives, with their hashes, where nobody stores files", async () => {
    const upstream = await listen((request, response) => {
      const asset = release.assets!.find(({ name }) => request.url?.endsWith(`/${name}`));
      response.writeHead(asset === undefined ? 404 : 200).end(asset?.bytes);
    });
    const env = { PAYLOAD_URL: `${upstream.url}/{repository}/releases/download/{tag}/{asset}` };

    const beta = await small.generator.run('release:beta', ['delve'], { env });
    const stable = await small.generator.run('release:promote', ['delve'], { env });
    await upstream.stop();

    expect([beta.exitCode, stable.exitCode], beta.stderr + stable.stderr).toEqual([0, 0]);
    const { architecture, autoupdate } = small.manifest('main');
    const zip = release.assets![0]!;
    expect(architecture['64bit']).toEqual({
      url: `${upstream.url}/go-delve/delve/releases/download/v1.26.3/dlv_1.26.3_windows_amd64.zip`,
      hash: digestBytes(zip.bytes).sha256,
    });
    expect(JSON.stringify(autoupdate)).toContain('/v$matchHead/dlv_$matchHead_windows_arm64.zip');
  });

  it.each([
    ['as upstream has them', true, 'GO-2026-0004 in example.test/dep v0.9.0, fixed in v0.9.5'],
    ['and upstream took one of them away', false, 'NO-EXE, github.com/go-delve/delve v1.26.4'],
  ])("checks upstream's own archives of every architecture, %s", async (_, isThere, found) => {
    const dependencies = { arm64: { path: 'example.test/dep', version: 'v0.9.0' } };
    const next = delveRelease('1.26.4', { dependencies });
    await small.stop();
    small = await startSmall([next]);
    let offered = next.assets!;
    const upstream = await listen((request, response) => {
      const asset = offered.find(({ name }) => request.url?.endsWith(`/v1.26.4/${name}`));
      response.writeHead(asset === undefined ? 404 : 200).end(asset?.bytes);
    });
    const db = await startVulnServer(isThere ? [makeVuln('GO-2026-0004', 'example.test/dep', '0.9.5')] : []);
    const policy = join(small.dir, 'policy.yaml');
    await writeFile(policy, 'refuse: high\nunknown: high\n');
    const env = { PAYLOAD_URL: `${upstream.url}/{repository}/{tag}/{asset}` };
    const looking = { ...env, VULN_DB: db.url, POLICY_FILE: policy };
    const beta = await small.generator.run('release:beta', ['delve'], { env });
    const [all, left] = [offered, isThere ? offered : offered.slice(0, 1)];

    offered = left;
    const refused = await small.generator.run('release:promote', ['delve'], { env: looking });
    offered = all;
    const promoted = await small.generator.run('release:promote', ['delve'], { env });
    offered = left;
    const check = await small.generator.run('release:check', ['delve'], { env: looking });
    await Promise.all([upstream.stop(), db.stop()]);

    expect([beta.exitCode, promoted.exitCode], beta.stderr + promoted.stderr).toEqual([0, 0]);
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(found) });
    expect(check).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining(found.replace(' in ', ' (CVE-2026-0004) in ')),
    });
  });

  it("still works after the tool's file has moved the exe within upstream's archive", async () => {
    const upstream = await listen((request, response) => {
      const asset = release.assets!.find(({ name }) => request.url?.endsWith(`/${name}`));
      response.writeHead(asset === undefined ? 404 : 200).end(asset?.bytes);
    });
    const db = await startVulnServer([]);
    const env = { PAYLOAD_URL: `${upstream.url}/{repository}/{tag}/{asset}`, VULN_DB: db.url };
    await small.generator.run('release:beta', ['delve'], { env });
    await small.generator.run('release:promote', ['delve'], { env });
    const own = await readFile(join(productDir, 'manifest-gen', 'tools', 'delve.yaml'), 'utf8');
    const tools = join(small.dir, 'tools');
    await mkdir(tools);
    await writeFile(join(tools, 'delve.yaml'), own.replace('member: dlv.exe', 'member: bin/dlv.exe'));

    const check = await small.generator.run('release:check', ['delve'], {
      env: { ...env, TOOLS_DIR: tools },
    });
    await Promise.all([upstream.stop(), db.stop()]);

    expect(check.exitCode, check.stderr).toBe(0);
    expect(check.stderr).toMatch(/the arm64 exe of 1\.26\.3 is not scanned: .*bin\/dlv\.exe/);
  });

  it("refuses an archive of upstream's that differs from the recorded one, before opening it", async () => {
    const isChanged = { yes: false };
    const upstream = await listen((request, response) => {
      const asset = release.assets!.find(({ name }) => request.url?.endsWith(`/${name}`));
      response.writeHead(200).end(isChanged.yes ? 'other bytes' : asset?.bytes);
    });
    const db = await startVulnServer([]);
    const env = { PAYLOAD_URL: `${upstream.url}/{repository}/{tag}/{asset}`, VULN_DB: db.url };
    await small.generator.run('release:beta', ['delve'], { env });
    isChanged.yes = true;

    const result = await small.generator.run('release:promote', ['delve'], { env });
    await Promise.all([upstream.stop(), db.stop()]);

    expect(result).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('dlv_1.26.3_windows_arm64.zip is refused: expected SHA-256'),
    });
  });

  it("names upstream's bare exes under the command's name", async () => {
    const bytes = makeTinyExe({ module: { path: 'github.com/bufbuild/buf', version: '(devel)' } });
    const assets = withChecksums([{ name: 'buf-Windows-x86_64.exe', bytes }]).map((one) =>
      one.name === 'checksums.txt' ? { ...one, name: 'sha256.txt' } : one,
    );
    small.forge.addRepository('bufbuild/buf', [{ tag: 'v1.72.0', assets }]);
    const upstream = await listen((_, response) => response.end(bytes));
    const trust = join(small.dir, 'trust.yaml');
    await cp(join(import.meta.dirname, '..', 'kit', 'trust-buf-unsigned.yaml'), trust);
    const env = {
      PAYLOAD_URL: `${upstream.url}/{repository}/releases/download/{tag}/{asset}`,
      TRUST_FILE: trust,
    };

    const result = await small.generator.run('release:beta', ['buf'], { env });
    await upstream.stop();

    expect(result.exitCode, result.stderr).toBe(0);
    expect(small.manifest('beta', 'buf').architecture['64bit']).toEqual({
      url: `${upstream.url}/bufbuild/buf/releases/download/v1.72.0/buf-Windows-x86_64.exe#/buf.exe`,
      hash: digestBytes(bytes).sha256,
    });
  });

  it("cannot name upstream's files and upload to them", async () => {
    const env = { PAYLOAD_URL: 'https://forge.test/{repository}/{tag}/{asset}', PAYLOAD_PUT: 'true' };

    expect(await small.generator.run('release:beta', ['delve'], { env })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('PAYLOAD_PUT: must be false'),
    });
  });

  it('reports a broken manifest in its own row, and everything about the other tools', async () => {
    const git = await createGitClient(small.dir);
    const work = await git.clone(small.bucket, 'work');
    await git.commit(work, 'by hand', { 'bucket/delve.json': '{ "version": ' });
    await git.run(work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');

    const { exitCode, stdout } = await small.generator.run('release:status', ['buf', 'delve', '--json']);

    expect(exitCode).toBe(0);
    const rows = stdout.trim().split('\n');
    expect(rows.map((row) => JSON.parse(row) as unknown)).toEqual([
      expect.objectContaining({ tool: 'buf', main: '-', beta: '-' }),
      expect.objectContaining({
        tool: 'delve',
        main: 'unknown',
        beta: 'unknown',
        next: expect.stringContaining('bucket/delve.json on branch main of the bucket'),
      }),
    ]);
  });

  it('reports a broken package in its own row, and everything about the other tools', async () => {
    const packages = small.feed.packages as FakePackage[];
    packages.push({ id: 'delve', version: '1.26.3-beta.1', nupkg: Buffer.from('no zip') });

    const { exitCode, stdout } = await small.generator.run('release:status', ['buf', 'delve', '--json']);

    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row) as unknown),
    ).toEqual([
      expect.objectContaining({ tool: 'buf', main: '-', beta: '-' }),
      expect.objectContaining({ tool: 'delve', next: expect.stringContaining('not a readable zip') }),
    ]);
  });

  it('is refused by the feed with another key, and publishes nothing', async () => {
    const made = join(small.dir, 'made');
    await small.generator.run('release:beta', ['delve', '--dry-run', '--out', made]);
    await small.serve(made);

    const result = await small.generator.run('release:beta', ['delve'], { env: { FEED_API_KEY: 'other' } });

    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('answered 403') });
    expect(small.branches()).toEqual([]);
  });

  it.skipIf(!hasNuget)('with a feed that nuget.exe pushes to as well (needs mono)', async () => {
    const made = join(small.dir, 'made');
    await small.generator.run('release:beta', ['delve', '--dry-run', '--out', made]);
    const nuget = await makeNuget(small.dir);
    const nupkg = join(made, 'delve.1.26.3-beta.1.nupkg');

    const pushed = await nuget('push', nupkg, '-Source', small.feed.feedUrl, '-ApiKey', 'its-key');

    expect(pushed.code, pushed.stdout + pushed.stderr).toBe(0);
    await expect.poll(() => small.feed.packages.length).toBe(1);
    expect(digestBytes(small.feed.packages[0]!.nupkg)).toEqual(digestBytes(await readFile(nupkg)));
  });

  async function status(): Promise<unknown> {
    const { stdout } = await small.generator.run('release:status', ['delve', '--json']);
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  }
});

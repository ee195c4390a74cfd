import { execFileSync } from 'node:child_process';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startForeignFeed } from '../kit/foreign-feed.ts';
import { delveRelease, type Generator } from '../kit/generator.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { listen } from '../kit/listen.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { mainStart, startStart } from '../kit/start-process.ts';
import { openBucketWork } from '../kit/stocked-feed.ts';
import { makeKey, makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

const old = 'http://old.example';
const next = 'https://new.example/tools';

describe('bucket:rebase', () => {
  let dataDir: string;
  let server: TestServer;
  let fixture: ReleaseFixture;
  let generator: Generator;
  let git: GitClient;
  let client: string;
  let byHand: string;

  beforeEach(async () => {
    dataDir = await makeTempDir();
    server = await startTestServer({ dataDir, publicUrl: old });
    fixture = await startReleaseFixture({
      server,
      repositories: { 'go-delve/delve': [delveRelease('1.26.3'), delveRelease('1.26.2')] },
      scopes: ['push'],
    });
    ({ generator } = fixture);
    await run('release:beta', 'delve@1.26.2');
    await run('release:promote', 'delve');
    await run('release:beta', 'delve@1.26.3');
    git = await createGitClient(await makeTempDir());
    // pushed by hand: no checkver, its payload at the server's usual place
    await (await openBucketWork(server, git.dir, 'work')).release('other', '1.0.0');
    byHand = server.url;
    client = await git.clone(`${server.url}/git/main/go-win-tools.git`, 'client');
  });
  afterEach(async () => {
    await fixture.stop();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
    await rm(git.dir, { recursive: true, force: true });
  });

  it('is what `start` asks for, where manifests still have an earlier address', async () => {
    await server.stop();
    const program = await startStart(mainStart, { DATA_DIR: dataDir, PUBLIC_URL: next });
    await program.says('Ctrl-C ends the server.');

    expect(program.stdout()).toContain(
      `Scoop's manifests still lead to ${old}. To change them while the server runs, with FEED_URL=`,
    );
    expect(program.stdout()).toContain(`\n  npx -y pnpm@10 bucket:rebase ${next}\n`);
    expect(await program.end()).toBe(0);
  });

  it('gives all manifests of both branches the new base in one chore each; clients follow, and a second run changes nothing', async () => {
    const before = await readBoth();
    const tips = (await git.run(client, 'rev-parse', 'origin/main', 'origin/beta')).split('\n');
    await moveServer();

    const result = await run('bucket:rebase', `${next}/`);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout.split('\n').filter(Boolean)).toEqual([
      `delve 1.26.2: rebased, branch main names ${next}`,
      `other 1.0.0: rebased, branch main names ${next}`,
      `delve 1.26.3-beta.1: rebased, branch beta names ${next}`,
      `other 1.0.0: rebased, branch beta names ${next}`,
    ]);
    const replaced = before.map((text) => text.replaceAll(old, next).replaceAll(byHand, next));
    await git.run(client, 'remote', 'set-url', 'origin', `${server.url}/git/main/go-win-tools.git`);
    await git.run(client, 'pull', '--quiet', '--ff-only');
    expect(await readBoth()).toEqual(replaced);
    expect(replaced[0]).toContain(`${next}/dl/delve/1.26.2/dlv-windows-amd64.exe#/dlv.exe`);
    expect(replaced[0]).toContain(`${next}/m/delve.json`);
    for (const branch of ['main', 'beta']) {
      expect(await git.run(client, 'log', '-1', '--format=%s', `origin/${branch}`)).toBe(
        `(chore): Move all manifests to ${next}`,
      );
      expect(
        await git.run(
          client,
          'rev-list',
          '--count',
          `${branch === 'main' ? tips[0] : tips[1]}..origin/${branch}`,
        ),
      ).toBe('1');
    }

    expect(await run('bucket:rebase', next)).toMatchObject({
      exitCode: 0,
      stdout: `bucket main, beta: nothing to do, no manifest has another base address than ${next}\n`,
    });
    expect(await run('release:verify', 'delve')).toMatchObject({ exitCode: 0 });
    // the train goes on
    expect(await run('release:promote', 'delve')).toMatchObject({ exitCode: 0 });
    await git.run(client, 'pull', '--quiet', '--ff-only');
    expect((await readBoth())[0]).toContain(`${next}/dl/delve/1.26.3/dlv-windows-amd64.exe`);
    // what was promised under the old address is still held to it
    for (const args of [['delve@1.26.2'], ['delve@1.26.2-beta.1', '--channel', 'beta']]) {
      const verified = await run('release:verify', ...args);
      expect(verified.exitCode, verified.stderr).toBe(0);
      expect(verified.stdout).toContain(`Its addresses begin with ${old}, today's with ${next}`);
    }
  });

  it('shows what it would do, for people and for machines, and pushes nothing', async () => {
    await moveServer();
    const tips = await refs();

    const result = await run('bucket:rebase', next, '--dry-run', '--json');

    expect(result.exitCode, result.stderr).toBe(0);
    const events = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.filter(({ event }) => event === 'plan')[0]).toEqual({
      ...{ event: 'plan', tool: 'delve', from: old, to: next, source: 'branch main' },
      ...{ evidence: [], does: 'rebase', why: `1.26.2 names ${old}`, main: '1.26.2', beta: '1.26.3-beta.1' },
    });
    expect(events.filter(({ event }) => event === 'outcome')).toHaveLength(4);
    expect(await refs()).toBe(tips);
  });

  it('gives it to what is held for a rollout as well, and a completed one keeps it', async () => {
    const { env } = generator;
    const FEED_API_KEY = await makeKey(server, ['push', 'rollout'], [], 'ann');
    const start = (...args: string[]) =>
      generator.run('release:rollout', args, {
        env: { ...env, FEED_API_KEY, FEED_URL: `${server.url}/nuget` },
      });
    await writeFile(join(generator.dir, 'plan.yaml'), 'steps:\n  - { percent: 100, hold: 4h, needs: 0 }\n');
    const started = await start('start', 'delve', '--plan', 'plan.yaml');
    expect(started.exitCode, started.stderr).toBe(0);
    await moveServer();

    const result = await run('bucket:rebase', next);

    expect(result.exitCode, result.stderr).toBe(0);
    for (const version of ['1.26.3', '1.26.3.1-beta.1', '1.26.3.1'])
      expect(result.stdout).toContain(
        `delve ${version}: rebased, what is held for a rollout names ${next}\n`,
      );
    expect((await start('complete', 'delve')).exitCode).toBe(0);
    const main = await fetch(`${server.url}/m/delve.json`);
    expect(await main.text()).toContain(`${next}/dl/delve/1.26.3/dlv-windows-amd64.exe`);
  });

  it('refuses an invalid base: exit 2, nothing pushed', async () => {
    const tips = await refs();
    const bases = [
      'new.example',
      'ftp://new.example',
      'https://user:pw@new.example',
      'https://new.example/?a=b',
      '',
    ];
    for (const base of bases) {
      expect(await run('bucket:rebase', base), base).toMatchObject({ exitCode: 2, stdout: '' });
    }
    expect(await refs()).toBe(tips);
  });

  it('refuses an address that the server does not have, since the next release would undo it', async () => {
    const tips = await refs();

    expect(await run('bucket:rebase', next)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`the PUBLIC_URL of the server is ${old}`),
    });
    expect(await refs()).toBe(tips);
  });

  it('needs a key that may push to main, and otherwise leaves both branches alone', async () => {
    await moveServer();
    const tips = await refs();
    const weak = await makeKey(server, ['push:beta']);

    const env = { FEED_API_KEY: weak };
    const result = await generator.run('bucket:rebase', [next], {
      env: { ...env, FEED_URL: `${server.url}/nuget` },
    });

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('does not have the scope push for');
    expect(await refs()).toBe(tips);
  });

  it('changes the address of foreign payloads when every file exists there with its bytes', async () => {
    const dir = await makeTempDir();
    const feed = await startForeignFeed('its-key');
    const www = join(dir, 'www');
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(dir, 'bucket.git')]);
    const env = {
      BUCKET_URL: join(dir, 'bucket.git'),
      FEED_URL: feed.feedUrl,
      FEED_API_KEY: 'its-key',
      PAYLOAD_PUT: 'false',
    };
    const [first, second] = [
      await listen(express().use(express.static(www))),
      await listen(express().use(express.static(www))),
    ];
    const settings = { ...env, PAYLOAD_URL: `${first.url}/{tool}/{version}/{file}` };
    const made = join(dir, 'made');
    await generator.run('release:beta', ['delve', '--dry-run', '--out', made], { env: settings });
    await cp(join(made, 'payloads'), www, { recursive: true });
    const released = await generator.run('release:beta', ['delve'], { env: settings });
    const show = (): string =>
      execFileSync('git', ['-C', env.BUCKET_URL, 'show', 'beta:bucket/delve.json'], { encoding: 'utf8' });
    expect(released.exitCode, released.stderr).toBe(0);
    const before = show();

    const away = await generator.run('bucket:rebase', [nowhere, '--from', first.url], { env: settings });
    expect(away).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('cannot be reached') });
    expect(show()).toBe(before);
    const moved = await generator.run('bucket:rebase', [second.url, '--from', first.url], { env: settings });

    expect(moved.exitCode, moved.stderr).toBe(0);
    expect(show()).toBe(before.replaceAll(first.url, second.url));
    await feed.stop();
    await first.stop();
    await second.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function run(verb: string, ...args: string[]): ReturnType<Generator['run']> {
    return generator.run(verb, args, { env: { FEED_URL: `${server.url}/nuget` } });
  }

  /** The same data under another name. */
  async function moveServer(): Promise<void> {
    await server.stop();
    server = await startTestServer({ dataDir, publicUrl: next });
    await git.run(client, 'remote', 'set-url', 'origin', `${server.url}/git/main/go-win-tools.git`);
  }

  async function refs(): Promise<string> {
    await git.run(client, 'fetch', '--quiet');
    return git.run(client, 'for-each-ref', '--format=%(objectname) %(refname) %(subject)', 'refs/remotes');
  }

  async function readBoth(): Promise<string[]> {
    await git.run(client, 'fetch', '--quiet');
    return Promise.all(
      ['main:bucket/delve.json', 'beta:bucket/delve.json', 'beta:bucket/other.json'].map((path) =>
        git.run(client, 'cat-file', 'blob', `origin/${path}`),
      ),
    );
  }
});

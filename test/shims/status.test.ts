import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestFile } from '../../formats/digest.ts';
import { createReport, createToolkit, type VerbToolkit } from '../../manifest-gen/verbs/run/toolkit.ts';
import type { OwnChannel } from '../../own-packages/next-version.ts';
import { publishOwn } from '../../own-packages/publish.ts';
import { shimsOf } from '../../shims/package.ts';
import { planShims } from '../../shims/plan.ts';
import { type Generator, makeGenerator } from '../kit/generator.ts';
import { makeKey, makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';

const product = '1.2.0';

/** The package of the shims among the tools: where it is, and what a cut left half done. */
describe('release:status of go-win-shims', () => {
  let server: TestServer;
  let generator: Generator;
  let dir: string;
  let git: (...args: string[]) => string;

  beforeEach(async () => {
    server = await startTestServer();
    dir = await makeTempDir();
    const bucket = join(dir, 'bucket.git');
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bucket]);
    git = (...args) => execFileSync('git', ['-C', bucket, ...args], { encoding: 'utf8' });
    generator = await makeGenerator({
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push', 'unlist']),
      BUCKET_URL: bucket,
    });
  });
  afterEach(async () => {
    await generator.stop();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('has no row where nobody published it', async () => {
    const all = await generator.run('release:status', ['--json']);
    const named = await generator.run('release:status', ['go-win-shims']);

    expect(rows(all.stdout).map(({ tool }) => tool)).toEqual(['buf', 'delve', 'goreleaser']);
    expect(named).toMatchObject({ exitCode: 0 });
    expect(named.stdout).toMatch(/^go-win-shims +- +- +- +`shims --publish beta --dry-run` shows/m);
  });

  it('is a row below the tools: what beta and main offer, and nothing for release:promote', async () => {
    await publish('beta', 'a launcher');
    const beta = await generator.run('release:status', ['--json']);
    await publish('main', 'a launcher');
    const main = await generator.run('release:status', ['go-win-shims', '--json']);

    const next = expect.stringContaining('--dry-run');
    expect(rows(beta.stdout).at(-1)).toEqual({
      event: 'status',
      tool: 'go-win-shims',
      beta: '1.2.0-beta.1',
      main: '-',
      upstream: '-',
      next,
    });
    expect(rows(main.stdout)).toEqual([
      { event: 'status', tool: 'go-win-shims', beta: '1.2.0', main: '1.2.0', upstream: '-', next },
    ]);
  });

  it('names an interrupted promotion that did not reach the bucket, and how to complete it', async () => {
    await publish('beta', 'a launcher');
    const before = git('rev-parse', 'beta').trim();
    await publish('main', 'a launcher');
    git('update-ref', '-d', 'refs/heads/main');
    git('update-ref', 'refs/heads/beta', before);
    git('tag', '-d', 'go-win-shims/v1.2.0');

    expect(await unfinished()).toEqual([
      'the feed has 1.2.0, main offers nothing: `shims --publish main` in the go-win-tools that made it finishes the promotion',
    ]);
    await publish('main', 'a launcher');
    expect(await unfinished()).toEqual([]);
  });

  it('names a withdrawn version that is still offered, until a good set was published after it', async () => {
    for (const launcher of ['a good launcher', 'a bad launcher']) {
      await publish('beta', launcher);
      await publish('main', launcher);
    }
    await unlist('1.2.0.1');

    expect(await unfinished()).toEqual([
      '1.2.0.1 was withdrawn, main still offers it: `shims --publish beta`, then `main`, in a go-win-tools with a good set finish the withdrawal',
    ]);
    await expect(publish('beta', 'a bad launcher')).rejects.toThrow('1.2.0.1 was withdrawn');
    await publish('beta', 'a good launcher');
    await publish('main', 'a good launcher');
    expect(await unfinished()).toEqual([]);
    expect(git('show', 'main:bucket/go-win-shims.json')).toContain('"version": "1.2.0.2"');
  });

  it('has no version to release, and gives advice to those who would withdraw one', async () => {
    const version = await generator.run('release:status', ['go-win-shims@1.2.0']);
    const withdraw = await generator.run('release:withdraw', ['go-win-shims@1.2.0', '--reason', 'bad']);
    const verify = await generator.run('release:verify', ['go-win-shims']);

    for (const { exitCode, stderr } of [version, withdraw, verify]) {
      expect(exitCode).toBe(1);
      expect(stderr).toContain('go-win-shims has no upstream');
    }
  });

  /** The set of all tools, with a launcher that is any bytes. */
  async function publish(channel: OwnChannel, bytes: string): Promise<void> {
    const fixture = toolkitOf();
    const path = join(dir, 'launcher.exe');
    await writeFile(path, bytes);
    const launcher = { path, digest: await digestFile(path) };
    const set = { plans: planShims([], { tools: { buf: {} } }), launcher, licenseText: 'MIT\n' };
    await publishOwn(fixture, shimsOf(set), product, channel);
  }

  function toolkitOf(): VerbToolkit {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    const invocation = {
      ...{ env: generator.env, stdout: stream, stderr: stream, productDir, cwd: generator.dir },
      ...{ signal: new AbortController().signal, version: product },
    };
    return createToolkit(invocation, createReport(invocation, {}));
  }

  async function unlist(version: string): Promise<void> {
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    const answer = await fetch(`${server.url}/nuget/go-win-shims/${version}`, { method: 'DELETE', headers });
    expect(answer.ok).toBe(true);
  }

  async function unfinished(): Promise<readonly string[]> {
    const { stdout } = await generator.run('release:status', ['go-win-shims', '--json']);
    return (rows(stdout)[0]?.unfinished as string[] | undefined) ?? [];
  }
});

function rows(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

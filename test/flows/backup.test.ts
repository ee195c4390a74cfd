import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommand as createBackup } from '../../server/verbs/backup.ts';
import { createCommand as createRestore } from '../../server/verbs/restore.ts';
import { createCommand as createVerify } from '../../server/verbs/verify.ts';
import { createGitClient } from '../kit/git.ts';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerb } from '../kit/operator-fixture.ts';
import { type ServeProcess, startServe } from '../kit/serve-process.ts';
import { contentOf, openBucketWork, stockFeed } from '../kit/stocked-feed.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer } from '../kit/test-server.ts';

const adminKey = 'an-admin-key-that-nobody-can-guess-0123456789';

describe('a backup of a busy server', () => {
  let root: string;
  let dataDir: string;
  let server: ServeProcess;
  let feed: { url: string; adminKey: string };
  beforeEach(async () => {
    root = await makeTempDir();
    dataDir = join(root, 'data');
    server = await startServe({ DATA_DIR: dataDir, ADMIN_API_KEY: adminKey, LOG_LEVEL: 'warn' });
    feed = { url: server.url, adminKey };
  });
  afterEach(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) await server.end('SIGKILL');
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });

  it('is consistent: every payload in its bucket and every row of its database has its bytes, whatever is pushed meanwhile', async () => {
    await stockFeed(feed, root);
    const buckets = [await openBucketWork(feed, root, 'releases')];
    let isOver = false;
    let pushed = 0;
    const push = async (id: string): Promise<void> => {
      for (let n = 1; !isOver; n += 1) {
        const nupkg = makeNupkg({ id, version: `1.${n}.0`, files: { 'tools/x.bin': randomBytes(20_000) } });
        if ((await pushNupkg(feed, nupkg, adminKey)).status !== 201) throw new Error('a push was refused');
        pushed += 1;
      }
    };
    const release = async (): Promise<void> => {
      for (let n = 33; !isOver; n += 1) for (const bucket of buckets) await bucket.release('buf', `1.${n}.0`);
    };
    const work = Promise.all([push('one'), push('two'), push('three'), release()]);

    const rounds = [1, 2, 3];
    const counts: number[] = [];
    for (const round of rounds) {
      const file = join(root, `${round}.tar`);
      const taken = await runVerb(createBackup, dataDir, file, '--json');
      expect(taken.error).toBeUndefined();
      counts.push((JSON.parse(taken.stdout) as { packages: number }).packages);
    }
    isOver = true;
    await work;

    expect(counts.at(-1)).toBeGreaterThan(counts[0] ?? Number.POSITIVE_INFINITY);
    for (const round of rounds) {
      const restored = join(root, `restored-${round}`);
      expect((await runVerb(createRestore, restored, join(root, `${round}.tar`))).error).toBeUndefined();
      const verified = await runVerb(createVerify, restored, '--json');
      expect(JSON.parse(verified.stdout).faults).toEqual([]);
      // Both branches of one push, or neither.
      const git = await createGitClient(root);
      const repo = join(restored, 'bucket', 'repo.git');
      const [main, beta] = ['main', 'beta'].map((branch) =>
        git.run(repo, 'rev-parse', `${branch}:bucket/buf.json`),
      );
      expect(await main).toBe(await beta);
    }
    expect(pushed).toBeGreaterThan(0);
  });

  it('moves a server to another folder: same rows, bytes and refs, same keys, and clients go on', async () => {
    const { key } = await stockFeed(feed, root);
    const git = await createGitClient(root);
    const user = await git.clone(`${feed.url}/git/main/go-win-tools.git`, 'user');
    const file = join(root, 'feed.tgz');

    const taken = await runVerb(createBackup, dataDir, file);
    await server.end('SIGTERM');
    const moved = join(root, 'moved');
    const restored = await runVerb(createRestore, moved, file);

    expect([taken.error, restored.error]).toEqual([undefined, undefined]);
    const [before, after] = [await contentOf(dataDir), await contentOf(moved)];
    // When a key was used last is written later than the backup.
    for (const { rows } of [before, after])
      for (const row of rows.keys ?? []) Object.assign(row as object, { last_used: 0 });
    expect(after).toEqual(before);
    const testServer = await startTestServer({ dataDir: moved });
    try {
      const payload = await fetch(`${testServer.url}/dl/buf/1.32.0/buf-windows-amd64.exe`);
      expect([payload.status, await payload.text()]).toEqual([200, 'buf 1.32.0 as an exe']);
      expect((await pushNupkg(testServer, makeNupkg({ id: 'Sample', version: '9.0.0' }), key)).status).toBe(
        201,
      );
      await (await openBucketWork(testServer, root, 'work')).release('buf', '1.33.0');
      await git.run(user, 'remote', 'set-url', 'origin', `${testServer.url}/git/main/go-win-tools.git`);
      await git.run(user, 'pull', '-q');
      expect(JSON.parse(await readFile(join(user, 'bucket', 'buf.json'), 'utf8')).version).toBe('1.33.0');
    } finally {
      await testServer.stop();
    }
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'leaves nothing incomplete when %s ends backup or restore, and the next run works',
    async (signal) => {
      await stockFeed(feed, root);
      const big = makeNupkg({
        id: 'big',
        version: '1.0.0',
        files: { 'tools/big.bin': randomBytes(32 * 1024 ** 2) },
        isStored: true,
      });
      expect((await pushNupkg(feed, big, adminKey)).status).toBe(201);
      await server.end('SIGTERM');
      const files = join(root, 'files');
      await mkdir(files);
      const file = join(files, 'feed.tgz');
      const before = await contentOf(dataDir);

      await endOnceThere(signal, join(`${file}.part`, 'tar'), 'feed:backup', file);
      expect(await readdir(files)).toEqual(signal === 'SIGKILL' ? ['feed.tgz.part'] : []);
      expect((await runVerb(createBackup, dataDir, file)).error).toBeUndefined();
      expect(await readdir(files)).toEqual(['feed.tgz']);

      await endOnceThere(signal, join(`${dataDir}.restoring`, 'blobs'), 'feed:restore', file, '--replace');
      expect(await contentOf(dataDir)).toEqual(before);
      expect(existsSync(`${dataDir}.restoring`)).toBe(signal === 'SIGKILL');
      const restored = await runVerb(createRestore, dataDir, file, '--replace');
      expect(restored.error).toBeUndefined();
      expect(await contentOf(dataDir)).toEqual(before);
      expect(existsSync(`${dataDir}.restoring`)).toBe(false);
    },
  );

  /** Starts the verb as a process of its own and ends it as soon as the path appears. */
  async function endOnceThere(signal: NodeJS.Signals, path: string, ...args: string[]): Promise<void> {
    const child = spawn(process.execPath, [mainJs, ...args], {
      cwd: productDir,
      env: { ...process.env, DATA_DIR: dataDir },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said = text(child.stderr);
    const ended = once(child, 'close');
    while (!existsSync(path) && child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    child.kill(signal);
    const [code, endedBy] = await ended;
    expect([code, endedBy]).toEqual(signal === 'SIGKILL' ? [null, 'SIGKILL'] : [130, null]);
    if (signal === 'SIGINT')
      expect(await said).toMatch(/^Interrupted; (no backup was written|nothing was changed)\.\n$/);
  }
});

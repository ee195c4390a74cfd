import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepository } from '../../../server/bucket/git-bundle.ts';
import { beginSharedBucket } from '../../../server/bucket/shared-copy.ts';
import { grantOf } from './client-fixture.ts';
import type { BucketServer } from './serve-bucket.ts';
import { type SharedFixture, startSharedPair } from './shared-fixture.ts';

describe('what several servers publish and show to clients of rollouts', () => {
  let fixture: SharedFixture;
  let a: BucketServer;
  let b: BucketServer;
  beforeEach(async () => {
    ({ fixture, a, b } = await startSharedPair());
    await fixture.decide(a, 'delve', '1.21.0');
    await a.bucket.finishCommits();
  });
  afterEach(() => fixture.stop());

  const address = (server: BucketServer, client: string): string =>
    `${server.url}/git/c/${client}/go-win-tools.git`;

  /** A plain pull, which has to go forward. */
  async function pull(folder: string, server: BucketServer, client: string): Promise<string> {
    await fixture.git.run(folder, 'pull', '--quiet', '--ff-only', address(server, client), 'main');
    expect(await fixture.git.run(folder, 'status', '--porcelain')).toBe('');
    return fixture.git.run(folder, 'rev-parse', 'HEAD');
  }

  const versionIn = async (folder: string, tool = 'delve'): Promise<unknown> =>
    JSON.parse(await fixture.git.run(folder, 'cat-file', 'blob', `HEAD:bucket/${tool}.json`)).version;

  async function links(): Promise<readonly string[]> {
    return fixture.db
      .prepare('SELECT commit_oid FROM client_links ORDER BY number')
      .pluck()
      .all() as string[];
  }

  it('is one commit on each branch, whoever of them finishes it', async () => {
    const before = (await fixture.moves()).length;
    await fixture.decide(a, 'delve', '1.22.0');
    await fixture.decide(a, 'buf', '1.30.0');

    await Promise.all([a, b, a, b].map(({ bucket }) => bucket.finishCommits()));

    const [left, right] = [await a.bucket.readTip('main'), await b.bucket.readTip('main')];
    expect(left?.commit).toBe(right?.commit);
    const clone = await fixture.git.clone(fixture.url(b), 'clone');
    const subjects = await fixture.git.run(clone, 'log', '--format=%s', '--reverse');
    expect(subjects.split('\n').slice(1)).toEqual(
      ['delve 1.21.0', 'delve 1.22.0', 'buf 1.30.0'].map((name) => name.replace(' ', ': Update to version ')),
    );
    const moves = (await fixture.moves()).slice(before);
    expect(moves.map((line) => line.split(' ', 1)[0])).toEqual([
      ...['refs/heads/main', 'refs/heads/beta', 'refs/tags/delve/v1.22.0'],
      ...['refs/heads/main', 'refs/heads/beta', 'refs/tags/buf/v1.30.0'],
    ]);
    expect(fixture.db.prepare('SELECT count(*) FROM bucket_work').pluck().get()).toBe(0);
  });

  it('lets a client go forward from any server to any other, and back to main', async () => {
    const folder = await fixture.git.clone(address(a, 'pc-1'), 'clone');
    expect(await versionIn(folder)).toBe('1.21.0');
    await fixture.hold(a, 'delve', '1.22.0');
    fixture.views.set('pc-1', [grantOf('delve', '1.22.0')]);

    const first = await pull(folder, a, 'pc-1');
    expect(await versionIn(folder)).toBe('1.22.0');
    expect(await pull(folder, b, 'pc-1')).toBe(first);

    await fixture.hold(b, 'buf', '1.30.0');
    fixture.views.set('pc-1', [grantOf('buf', '1.30.0'), grantOf('delve', '1.22.0')]);
    await pull(folder, b, 'pc-1');
    expect([await versionIn(folder), await versionIn(folder, 'buf')]).toEqual(['1.22.0', '1.30.0']);
    await pull(folder, a, 'pc-1');

    await fixture.decide(a, 'delve', '1.22.0');
    await b.bucket.finishCommits();
    fixture.views.set('pc-1', []);
    await pull(folder, a, 'pc-1');
    expect(await versionIn(folder)).toBe('1.22.0');
    await fixture.git.run(folder, 'fsck', '--strict');
    expect(await links()).toHaveLength(3);
  });

  it('is one line of commits where servers make links at the same time', async () => {
    const folder = await fixture.git.clone(address(a, 'pc-1'), 'clone');
    const names = ['age', 'buf', 'cosign', 'fzf'];
    for (const [at, tool] of names.entries()) {
      await fixture.hold(a, tool, '1.0.0');
      fixture.views.set(`pc-${at}`, [grantOf(tool, '1.0.0')]);
    }
    const heads = await Promise.all(
      names.map(async (_tool, at) => {
        const server = at % 2 === 0 ? a : b;
        return (
          await fixture.git.run(fixture.dir, 'ls-remote', address(server, `pc-${at}`), 'refs/heads/main')
        ).slice(0, 40);
      }),
    );
    const made = await links();
    expect([...heads].sort()).toEqual([...made].sort());
    await pull(folder, b, 'pc-1');
    expect(await versionIn(folder, 'buf')).toBe('1.0.0');
    for (const name of ['a', 'b']) {
      // Each server has all of them, once it was asked for the last.
      for (const at of names.keys()) {
        const server = name === 'a' ? a : b;
        await fixture.git.run(fixture.dir, 'ls-remote', address(server, `pc-${at}`));
      }
      const store = join(fixture.dir, name, 'bucket', 'clients', 'store.git');
      const line = await fixture.git.run(
        store,
        'log',
        '--format=%H',
        '--first-parent',
        '-1',
        made.at(-1) ?? '',
      );
      expect(line).toBe(made.at(-1));
      for (const [at, commit] of made.entries()) {
        const before = made[at - 1];
        if (before !== undefined) await fixture.git.run(store, 'merge-base', '--is-ancestor', before, commit);
      }
    }
  });

  it('is the same on a server that is new, or has lost its folder', async () => {
    await fixture.hold(a, 'delve', '1.22.0');
    fixture.views.set('pc-1', [grantOf('delve', '1.22.0')]);
    const folder = await fixture.git.clone(address(a, 'pc-1'), 'clone');
    const head = await fixture.git.run(folder, 'rev-parse', 'HEAD');
    await fixture.close(b);
    await rm(join(fixture.dir, 'b'), { recursive: true });

    b = await fixture.open('b');
    const c = await fixture.open('c');

    expect(await pull(folder, b, 'pc-1')).toBe(head);
    expect(await pull(folder, c, 'pc-1')).toBe(head);
  });

  it('is kept when a server has lost its copy, and made anew when a backup of the bucket is older', async () => {
    const older = await fixture.git.clone(fixture.url(a), 'older');
    await fixture.git.run(older, 'branch', '--quiet', 'beta', 'origin/beta');
    await fixture.decide(a, 'buf', '1.30.0');
    await a.bucket.finishCommits();
    await fixture.hold(a, 'delve', '1.22.0');
    fixture.views.set('pc-1', [grantOf('delve', '1.22.0')]);
    const folder = await fixture.git.clone(address(a, 'pc-1'), 'clone');
    const before = await links();
    await rm(fixture.repo('b'), { recursive: true });
    await pull(folder, b, 'pc-1');
    expect(await links()).toEqual(before);

    const signal = AbortSignal.timeout(60_000);
    const repository = { ...openRepository(older, { env: process.env, signal }), dir: join(older, '.git') };
    await beginSharedBucket(repository, { history: fixture.history, blobs: fixture.blobs, dir: fixture.dir });
    const c = await fixture.open('c');

    const clone = await fixture.git.clone(address(c, 'pc-1'), 'again');
    expect([await versionIn(clone), await readdir(join(clone, 'bucket'))]).toEqual([
      '1.22.0',
      ['delve.json'],
    ]);
    const after = await links();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });
});

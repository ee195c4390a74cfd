import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDamage, listRefs, openRepository } from '../../../server/bucket/git-bundle.ts';
import { beginSharedBucket, copySharedBucket } from '../../../server/bucket/shared-copy.ts';
import type { SharedHistory } from '../../../server/bucket/shared-history.ts';
import type { PackStore } from '../../../server/bucket/stored-packs.ts';
import { FeedError } from '../../../server/errors.ts';
import { createLogger } from '../../../server/log.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';
import { type Parts, type SharedWorld, startSharedPair } from './shared-world.ts';

describe('the bucket of several servers', () => {
  let world: SharedWorld;
  let a: BucketServer;
  let b: BucketServer;
  beforeEach(async () => {
    ({ world, a, b } = await startSharedPair());
  });
  afterEach(() => world.stop());

  /** A server that stops right after other servers can see a push, and before its own refs have moved. */
  const stopAfterCommit = (real: SharedHistory): SharedHistory => ({
    ...real,
    async publish(...publication) {
      await real.publish(...publication);
      throw new Error('killed');
    },
  });
  const stopWhileStored = (real: PackStore): PackStore => ({
    ...real,
    receive: () => Promise.reject(new FeedError('BUCKET_BEHIND')),
  });
  const stopBeforeCommit = (real: SharedHistory): SharedHistory => ({
    ...real,
    publish: () => Promise.reject(new Error('killed')),
  });

  it('shows on every server what was pushed to one, with one entry in the audit log', async () => {
    const oid = await world.release(a, 'delve', '1.22.0');

    const clone = await world.git.clone(world.url(b, 'beta'), 'clone');
    expect(await world.git.run(clone, 'rev-parse', 'HEAD', 'delve/v1.22.0', 'origin/main')).toBe(
      [oid, oid, oid].join('\n'),
    );
    expect((await b.bucket.readManifest('main', 'delve'))?.version).toBe('1.22.0');
    const root = await world.git.run(clone, 'rev-parse', 'HEAD~');
    expect([...(await world.moves())].sort()).toEqual([
      `refs/heads/beta ${root}->${oid} by may push`,
      `refs/heads/main ${root}->${oid} by may push`,
      `refs/tags/delve/v1.22.0 ->${oid} by may push`,
    ]);
    for (const name of ['a', 'b']) await world.expectSound(name);

    const back = await world.release(b, 'buf', '1.30.0');
    await world.git.run(clone, 'pull', '--quiet', '--ff-only');
    expect(await world.git.run(clone, 'rev-parse', 'HEAD')).toBe(back);
    expect((await a.bucket.readManifest('beta', 'buf'))?.version).toBe('1.30.0');
  });

  it('stores no pack for refs that move to what is published', async () => {
    const work = await world.publisher.clone(world.url(a), 'work');
    const { oid } = await world.commitRelease(a, work, 'delve', '1.22.0');
    const branches = ['HEAD:main', 'HEAD:beta'];
    await world.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...branches);
    await world.publisher.run(work, 'push', '--quiet', world.url(b), 'delve/v1.22.0');

    expect(await world.git.run(work, 'ls-remote', '--tags', world.url(a))).toContain(oid);
    const packs = world.db
      .prepare('SELECT pack_sha256 IS NULL FROM bucket_pushes ORDER BY generation')
      .pluck()
      .all();
    expect(packs).toEqual([0, 1]);
  });

  it('shows it by manifest, by readiness, and without any git client asking', async () => {
    await world.release(a, 'delve', '1.22.0');
    expect((await (await fetch(`${b.url}/m/delve.json`)).json()) as object).toMatchObject({
      version: '1.22.0',
    });
    await world.release(a, 'delve', '1.23.0');
    expect((await b.bucket.readManifestAtVersion('delve', '1.22.0'))?.version).toBe('1.22.0');
    await world.release(a, 'delve', '1.24.0');
    await b.bucket.ping();
    await world.expectSound('b');
  });

  it('keeps one line of commits when two push the same branch, and the loser can push again', async () => {
    let hold: Promise<void> = Promise.resolve();
    let checked = (): void => undefined;
    const isChecked = new Promise<void>((resolve) => {
      checked = resolve;
    });
    const slow = await world.open('slow', {
      onFind: () => {
        checked();
        return hold;
      },
    });
    const work = await world.publisher.clone(world.url(slow), 'work');
    const { refs } = await world.commitRelease(slow, work, 'buf', '1.30.0');
    let go = (): void => undefined;
    hold = new Promise((resolve) => {
      go = resolve;
    });

    const pushing = world.publisher.try(work, 'push', '--atomic', 'origin', ...refs);
    await isChecked;
    const won = await world.release(a, 'delve', '1.22.0');
    go();
    const lost = await pushing;

    expect(lost.code).not.toBe(0);
    expect(lost.stderr).toContain('main has moved to');
    expect(lost.stderr).toContain('fetch, rebase your commits, push again');
    await world.publisher.run(work, 'pull', '--quiet', '--rebase', 'origin', 'main');
    await world.publisher.run(work, 'tag', '--force', 'buf/v1.30.0');
    await world.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
    expect(await world.publisher.run(work, 'rev-parse', 'HEAD~')).toBe(won);
    for (const name of ['a', 'b', 'slow']) {
      await world.git.clone(world.url({ a, b, slow }[name] ?? a), `after-${name}`);
      await world.expectSound(name);
    }
    const moves = (await world.moves()).filter((line) => line.startsWith('refs/heads/main '));
    expect(moves.map((line) => /->(\S+)/.exec(line)?.[1]?.slice(0, 8))).toHaveLength(2);
    expect(/ (\S+)->/.exec(moves[1] ?? '')?.[1]).toBe(won);
  });

  it('accepts both of two pushes that move different branches, after it has checked the second again', async () => {
    await world.release(a, 'delve', '1.22.0');
    let wasOvertaken = false;
    const slow = await world.open('slow', {
      history: (real) => ({
        ...real,
        async publish(...publication) {
          if (!wasOvertaken) {
            wasOvertaken = true;
            const work = await world.publisher.clone(world.url(a, 'main'), 'fast');
            await world.note(work, 'main');
            await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
          }
          return real.publish(...publication);
        },
      }),
    });
    const work = await world.publisher.clone(world.url(slow, 'beta'), 'work');
    const oid = await world.note(work, 'beta');
    await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:beta');

    expect((await world.published())['refs/heads/beta']).toBe(oid);
    await b.bucket.ping();
    await slow.bucket.ping();
    for (const name of ['b', 'slow']) await world.expectSound(name);
    expect(await world.moves()).toHaveLength(5);
  });

  it.each<[string, Parts, number]>([
    ['while its pack was stored', { blobs: stopWhileStored }, 1],
    ['before the others see it', { history: stopBeforeCommit }, 1],
    ['after the others see it', { history: stopAfterCommit }, 0],
  ])('takes the push again of a client whose server failed %s', async (_when, parts, newMoves) => {
    await world.release(a, 'delve', '1.22.0');
    const killed = await world.open('killed', parts);
    const work = await world.publisher.clone(world.url(killed), 'work');
    const oid = await world.note(work, 'more');
    const broken = await world.publisher.try(work, 'push', 'origin', 'HEAD:main');
    expect(broken.code).not.toBe(0);
    await world.close(killed);
    const before = (await world.moves()).length;

    const restarted = await world.open('killed');
    await world.publisher.run(work, 'push', '--quiet', world.url(restarted), 'HEAD:main');

    expect((await world.published())['refs/heads/main']).toBe(oid);
    expect((await world.moves()).length).toBe(before + newMoves);
    await b.bucket.ping();
    for (const name of ['b', 'killed']) await world.expectSound(name);
  });

  it('publishes nothing of a key that has ended while its pack was stored', async () => {
    await world.release(a, 'delve', '1.22.0');
    const revoked = new Set<string>();
    const slow = await world.open('slow', {
      revoked,
      blobs: (real) => ({
        ...real,
        async receive(...of) {
          revoked.add('key-push');
          return real.receive(...of);
        },
      }),
    });
    const work = await world.publisher.clone(world.url(a), 'work');
    await world.note(work, 'late');
    const before = await world.published();

    const pushed = await world.publisher.try(work, 'push', world.url(slow), 'HEAD:main');

    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('key');
    expect(await world.published()).toEqual(before);
    await world.expectSound('slow');
  });

  it('moves the refs itself where git could not, once the others see them', async () => {
    await world.release(a, 'delve', '1.22.0');
    const work = await world.publisher.clone(world.url(a), 'work');
    const oid = await world.note(work, 'more');
    // As it is left by a git that was killed.
    const lock = join(world.repo('a'), 'refs', 'heads', 'main.lock');
    await writeFile(lock, '');

    const pushed = await world.publisher.try(work, 'push', 'origin', 'HEAD:main');

    expect(pushed.code).not.toBe(0);
    expect((await world.published())['refs/heads/main']).toBe(oid);
    expect(await world.git.run(work, 'ls-remote', world.url(a), 'refs/heads/main')).toContain(oid);
    await world.expectSound('a');
  });

  it('begins with the repository of a server that was alone, and is copied for verbs', async () => {
    const alone = await serveBucket();
    const work = await world.publisher.clone(world.url(alone), 'alone');
    const { oid, refs } = await world.commitRelease(alone, work, 'delve', '1.22.0');
    await world.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
    await world.release(a, 'buf', '1.30.0');

    const repository = openRepository(alone.bucketDir, {
      env: process.env,
      signal: AbortSignal.timeout(60_000),
    });
    await beginSharedBucket(repository, { history: world.history, blobs: world.blobs, dir: world.dir });
    await alone.stop();

    // Servers that were running go over to it too.
    for (const [name, server] of Object.entries({ a, b })) {
      await server.bucket.ping();
      expect((await server.bucket.readTip('main'))?.commit).toBe(oid);
      await world.expectSound(name);
    }
    const log = createLogger('silent');
    const options = { dir: join(world.dir, 'copy'), env: process.env, log };
    const copy = await copySharedBucket({ ...options, history: world.history, blobs: world.blobs });
    expect(await findDamage(copy)).toBeUndefined();
    expect(await listRefs(copy)).toEqual(await world.published());
  });
});

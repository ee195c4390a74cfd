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
import { type Parts, type SharedFixture, startSharedPair } from './shared-fixture.ts';

describe('the bucket of several servers', () => {
  let fixture: SharedFixture;
  let a: BucketServer;
  let b: BucketServer;
  beforeEach(async () => {
    ({ fixture, a, b } = await startSharedPair());
  });
  afterEach(() => fixture.stop());

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
    const oid = await fixture.release(a, 'delve', '1.22.0');

    const clone = await fixture.git.clone(fixture.url(b, 'beta'), 'clone');
    expect(await fixture.git.run(clone, 'rev-parse', 'HEAD', 'delve/v1.22.0', 'origin/main')).toBe(
      [oid, oid, oid].join('\n'),
    );
    expect((await b.bucket.readManifest('main', 'delve'))?.version).toBe('1.22.0');
    const root = await fixture.git.run(clone, 'rev-parse', 'HEAD~');
    expect([...(await fixture.moves())].sort()).toEqual([
      `refs/heads/beta ${root}->${oid} by may push`,
      `refs/heads/main ${root}->${oid} by may push`,
      `refs/tags/delve/v1.22.0 ->${oid} by may push`,
    ]);
    for (const name of ['a', 'b']) await fixture.expectSound(name);

    const back = await fixture.release(b, 'buf', '1.30.0');
    await fixture.git.run(clone, 'pull', '--quiet', '--ff-only');
    expect(await fixture.git.run(clone, 'rev-parse', 'HEAD')).toBe(back);
    expect((await a.bucket.readManifest('beta', 'buf'))?.version).toBe('1.30.0');
  });

  it('stores no pack for refs that move to what is published', async () => {
    const work = await fixture.publisher.clone(fixture.url(a), 'work');
    const { oid } = await fixture.commitRelease(a, work, 'delve', '1.22.0');
    const branches = ['HEAD:main', 'HEAD:beta'];
    await fixture.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...branches);
    await fixture.publisher.run(work, 'push', '--quiet', fixture.url(b), 'delve/v1.22.0');

    expect(await fixture.git.run(work, 'ls-remote', '--tags', fixture.url(a))).toContain(oid);
    const packs = fixture.db
      .prepare('SELECT pack_sha256 IS NULL FROM bucket_pushes ORDER BY generation')
      .pluck()
      .all();
    expect(packs).toEqual([0, 1]);
  });

  it('shows it by manifest, by readiness, and without any git client asking', async () => {
    await fixture.release(a, 'delve', '1.22.0');
    expect((await (await fetch(`${b.url}/m/delve.json`)).json()) as object).toMatchObject({
      version: '1.22.0',
    });
    await fixture.release(a, 'delve', '1.23.0');
    expect((await b.bucket.readManifestAtVersion('delve', '1.22.0'))?.version).toBe('1.22.0');
    await fixture.release(a, 'delve', '1.24.0');
    await b.bucket.ping();
    await fixture.expectSound('b');
  });

  it('keeps one line of commits when two push the same branch, and the loser can push again', async () => {
    let hold: Promise<void> = Promise.resolve();
    let checked = (): void => undefined;
    const isChecked = new Promise<void>((resolve) => {
      checked = resolve;
    });
    const slow = await fixture.open('slow', {
      onFind: () => {
        checked();
        return hold;
      },
    });
    const work = await fixture.publisher.clone(fixture.url(slow), 'work');
    const { refs } = await fixture.commitRelease(slow, work, 'buf', '1.30.0');
    let go = (): void => undefined;
    hold = new Promise((resolve) => {
      go = resolve;
    });

    const pushing = fixture.publisher.try(work, 'push', '--atomic', 'origin', ...refs);
    await isChecked;
    const won = await fixture.release(a, 'delve', '1.22.0');
    go();
    const lost = await pushing;

    expect(lost.code).not.toBe(0);
    expect(lost.stderr).toContain('main has moved to');
    expect(lost.stderr).toContain('fetch, rebase your commits, push again');
    await fixture.publisher.run(work, 'pull', '--quiet', '--rebase', 'origin', 'main');
    await fixture.publisher.run(work, 'tag', '--force', 'buf/v1.30.0');
    await fixture.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
    expect(await fixture.publisher.run(work, 'rev-parse', 'HEAD~')).toBe(won);
    for (const name of ['a', 'b', 'slow']) {
      await fixture.git.clone(fixture.url({ a, b, slow }[name] ?? a), `after-${name}`);
      await fixture.expectSound(name);
    }
    const moves = (await fixture.moves()).filter((line) => line.startsWith('refs/heads/main '));
    expect(moves.map((line) => /->(\S+)/.exec(line)?.[1]?.slice(0, 8))).toHaveLength(2);
    expect(/ (\S+)->/.exec(moves[1] ?? '')?.[1]).toBe(won);
  });

  it('accepts both of two pushes that move different branches, after it has checked the second again', async () => {
    await fixture.release(a, 'delve', '1.22.0');
    let wasOvertaken = false;
    const slow = await fixture.open('slow', {
      history: (real) => ({
        ...real,
        async publish(...publication) {
          if (!wasOvertaken) {
            wasOvertaken = true;
            const work = await fixture.publisher.clone(fixture.url(a, 'main'), 'fast');
            await fixture.note(work, 'main');
            await fixture.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
          }
          return real.publish(...publication);
        },
      }),
    });
    const work = await fixture.publisher.clone(fixture.url(slow, 'beta'), 'work');
    const oid = await fixture.note(work, 'beta');
    await fixture.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:beta');

    expect((await fixture.published())['refs/heads/beta']).toBe(oid);
    await b.bucket.ping();
    await slow.bucket.ping();
    for (const name of ['b', 'slow']) await fixture.expectSound(name);
    expect(await fixture.moves()).toHaveLength(5);
  });

  it.each<[string, Parts, number]>([
    ['while its pack was stored', { blobs: stopWhileStored }, 1],
    ['before the others see it', { history: stopBeforeCommit }, 1],
    ['after the others see it', { history: stopAfterCommit }, 0],
  ])('takes the push again of a client whose server failed %s', async (_when, parts, newMoves) => {
    await fixture.release(a, 'delve', '1.22.0');
    const killed = await fixture.open('killed', parts);
    const work = await fixture.publisher.clone(fixture.url(killed), 'work');
    const oid = await fixture.note(work, 'more');
    const broken = await fixture.publisher.try(work, 'push', 'origin', 'HEAD:main');
    expect(broken.code).not.toBe(0);
    await fixture.close(killed);
    const before = (await fixture.moves()).length;

    const restarted = await fixture.open('killed');
    await fixture.publisher.run(work, 'push', '--quiet', fixture.url(restarted), 'HEAD:main');

    expect((await fixture.published())['refs/heads/main']).toBe(oid);
    expect((await fixture.moves()).length).toBe(before + newMoves);
    await b.bucket.ping();
    for (const name of ['b', 'killed']) await fixture.expectSound(name);
  });

  it('publishes nothing of a key that has ended while its pack was stored', async () => {
    await fixture.release(a, 'delve', '1.22.0');
    const revoked = new Set<string>();
    const slow = await fixture.open('slow', {
      revoked,
      blobs: (real) => ({
        ...real,
        async receive(...of) {
          revoked.add('key-push');
          return real.receive(...of);
        },
      }),
    });
    const work = await fixture.publisher.clone(fixture.url(a), 'work');
    await fixture.note(work, 'late');
    const before = await fixture.published();

    const pushed = await fixture.publisher.try(work, 'push', fixture.url(slow), 'HEAD:main');

    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('key');
    expect(await fixture.published()).toEqual(before);
    await fixture.expectSound('slow');
  });

  it('moves the refs itself where git could not, once the others see them', async () => {
    await fixture.release(a, 'delve', '1.22.0');
    const work = await fixture.publisher.clone(fixture.url(a), 'work');
    const oid = await fixture.note(work, 'more');
    // As it is left by a git that was killed.
    const lock = join(fixture.repo('a'), 'refs', 'heads', 'main.lock');
    await writeFile(lock, '');

    const pushed = await fixture.publisher.try(work, 'push', 'origin', 'HEAD:main');

    expect(pushed.code).not.toBe(0);
    expect((await fixture.published())['refs/heads/main']).toBe(oid);
    expect(await fixture.git.run(work, 'ls-remote', fixture.url(a), 'refs/heads/main')).toContain(oid);
    await fixture.expectSound('a');
  });

  it('begins with the repository of a server that was alone, and is copied for verbs', async () => {
    const alone = await serveBucket();
    const work = await fixture.publisher.clone(fixture.url(alone), 'alone');
    const { oid, refs } = await fixture.commitRelease(alone, work, 'delve', '1.22.0');
    await fixture.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
    await fixture.release(a, 'buf', '1.30.0');

    const repository = openRepository(alone.bucketDir, {
      env: process.env,
      signal: AbortSignal.timeout(60_000),
    });
    await beginSharedBucket(repository, { history: fixture.history, blobs: fixture.blobs, dir: fixture.dir });
    await alone.stop();

    // Servers that were running go over to it too.
    for (const [name, server] of Object.entries({ a, b })) {
      await server.bucket.ping();
      expect((await server.bucket.readTip('main'))?.commit).toBe(oid);
      await fixture.expectSound(name);
    }
    const log = createLogger('silent');
    const options = { dir: join(fixture.dir, 'copy'), env: process.env, log };
    const copy = await copySharedBucket({ ...options, history: fixture.history, blobs: fixture.blobs });
    expect(await findDamage(copy)).toBeUndefined();
    expect(await listRefs(copy)).toEqual(await fixture.published());
  });
});

import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDamage, listRefs, openRepository } from '../../../server/bucket/git-bundle.ts';
import { seed } from '../../../server/bucket/seed.ts';
import { beginSharedBucket, copySharedBucket } from '../../../server/bucket/shared-copy.ts';
import type { SharedHistory } from '../../../server/bucket/shared-history.ts';
import { createLogger } from '../../../server/log.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';
import { type SharedWorld, startSharedWorld } from './shared-world.ts';

describe('the bucket of several servers', () => {
  let world: SharedWorld;
  let a: BucketServer;
  let b: BucketServer;
  beforeEach(async () => {
    world = await startSharedWorld();
    a = await world.open('a');
    b = await world.open('b');
  });
  afterEach(() => world.stop());

  /** Commits a release on top of a clone's branch; answers with the arguments that push it. */
  async function commitRelease(server: BucketServer, work: string, tool: string, version: string) {
    const subject = `${tool}: Update to version ${version}`;
    const oid = await world.publisher.commit(work, subject, {
      [`bucket/${tool}.json`]: server.manifest(tool, version),
    });
    await world.publisher.run(work, 'tag', `${tool}/v${version}`);
    return { oid, refs: ['HEAD:refs/heads/main', 'HEAD:refs/heads/beta', `refs/tags/${tool}/v${version}`] };
  }

  async function release(server: BucketServer, tool: string, version: string): Promise<string> {
    const work = await world.publisher.clone(world.url(server), `work-${tool}-${version}`);
    const { oid, refs } = await commitRelease(server, work, tool, version);
    await world.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
    return oid;
  }

  const note = (work: string, text: string): Promise<string> =>
    world.publisher.commit(work, `(chore): ${text}`, { [`${text}.md`]: `${text}\n` });

  /** A server that stops right after other servers can see a push, and before its own refs have moved. */
  const stopAfterCommit = (real: SharedHistory): SharedHistory => ({
    ...real,
    async publish(...publication) {
      await real.publish(...publication);
      throw new Error('killed');
    },
  });
  const stopBeforeCommit = (real: SharedHistory): SharedHistory => ({
    ...real,
    publish: () => Promise.reject(new Error('killed')),
  });

  async function expectSound(name: string): Promise<void> {
    await world.git.run(world.repo(name), 'fsck', '--full', '--strict');
    // A branch that nobody has pushed to is where every bucket begins.
    const first = { 'refs/heads/main': seed.commit, 'refs/heads/beta': seed.commit };
    const rows = Object.entries({ ...first, ...(await world.history.refs()) });
    expect(await world.refs(name)).toEqual(rows.map(([ref, oid]) => `${ref} ${oid}`).sort());
  }

  it('shows on every server what was pushed to one, with one entry in the audit log', async () => {
    const oid = await release(a, 'delve', '1.22.0');

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
    for (const name of ['a', 'b']) await expectSound(name);

    // Without new objects there is no pack.
    const back = await release(b, 'buf', '1.30.0');
    await world.git.run(clone, 'pull', '--quiet', '--ff-only');
    expect(await world.git.run(clone, 'rev-parse', 'HEAD')).toBe(back);
    expect((await a.bucket.readManifest('beta', 'buf'))?.version).toBe('1.30.0');
  });

  it('shows it by manifest, by readiness, and without any git client asking', async () => {
    await release(a, 'delve', '1.22.0');
    expect((await (await fetch(`${b.url}/m/delve.json`)).json()) as object).toMatchObject({
      version: '1.22.0',
    });
    await release(a, 'delve', '1.23.0');
    expect((await b.bucket.readManifestAtVersion('delve', '1.22.0'))?.version).toBe('1.22.0');
    await release(a, 'delve', '1.24.0');
    await b.bucket.ping();
    await expectSound('b');
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
    const { refs } = await commitRelease(slow, work, 'buf', '1.30.0');
    let go = (): void => undefined;
    hold = new Promise((resolve) => {
      go = resolve;
    });

    const pushing = world.publisher.try(work, 'push', '--atomic', 'origin', ...refs);
    await isChecked;
    const won = await release(a, 'delve', '1.22.0');
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
      await expectSound(name);
    }
    const moves = (await world.moves()).filter((line) => line.startsWith('refs/heads/main '));
    expect(moves.map((line) => /->(\S+)/.exec(line)?.[1]?.slice(0, 8))).toHaveLength(2);
    expect(/ (\S+)->/.exec(moves[1] ?? '')?.[1]).toBe(won);
  });

  it('accepts both of two pushes that move different branches, after it has checked the second again', async () => {
    await release(a, 'delve', '1.22.0');
    let wasOvertaken = false;
    const slow = await world.open('slow', {
      history: (real) => ({
        ...real,
        async publish(...publication) {
          if (!wasOvertaken) {
            wasOvertaken = true;
            const work = await world.publisher.clone(world.url(a, 'main'), 'fast');
            await note(work, 'main');
            await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
          }
          return real.publish(...publication);
        },
      }),
    });
    const work = await world.publisher.clone(world.url(slow, 'beta'), 'work');
    const oid = await note(work, 'beta');
    await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:beta');

    expect((await world.history.refs())['refs/heads/beta']).toBe(oid);
    await b.bucket.ping();
    await slow.bucket.ping();
    for (const name of ['b', 'slow']) await expectSound(name);
    expect(await world.moves()).toHaveLength(5);
  });

  it.each([
    ['before the others see it', stopBeforeCommit, 1],
    ['after the others see it', stopAfterCommit, 0],
  ])('takes the push again of a client whose server was killed %s', async (_when, history, newMoves) => {
    await release(a, 'delve', '1.22.0');
    const killed = await world.open('killed', { history });
    const work = await world.publisher.clone(world.url(killed), 'work');
    const oid = await note(work, 'more');
    const broken = await world.publisher.try(work, 'push', 'origin', 'HEAD:main');
    expect(broken.code).not.toBe(0);
    await world.close(killed);
    const before = (await world.moves()).length;

    const restarted = await world.open('killed');
    await world.publisher.run(work, 'push', '--quiet', world.url(restarted), 'HEAD:main');

    expect((await world.history.refs())['refs/heads/main']).toBe(oid);
    expect((await world.moves()).length).toBe(before + newMoves);
    await b.bucket.ping();
    for (const name of ['b', 'killed']) await expectSound(name);
  });

  it('moves the refs itself where git could not, once the others see them', async () => {
    await release(a, 'delve', '1.22.0');
    const work = await world.publisher.clone(world.url(a), 'work');
    const oid = await note(work, 'more');
    // As it is left by a git that was killed.
    const lock = join(world.repo('a'), 'refs', 'heads', 'main.lock');
    await writeFile(lock, '');

    const pushed = await world.publisher.try(work, 'push', 'origin', 'HEAD:main');

    expect(pushed.code).not.toBe(0);
    expect((await world.history.refs())['refs/heads/main']).toBe(oid);
    expect(await world.git.run(work, 'ls-remote', world.url(a), 'refs/heads/main')).toContain(oid);
    await expectSound('a');
  });

  it('begins with the repository of a server that was alone, and is copied for verbs', async () => {
    const alone = await serveBucket();
    const work = await world.publisher.clone(world.url(alone), 'alone');
    const { oid, refs } = await commitRelease(alone, work, 'delve', '1.22.0');
    await world.publisher.run(work, 'push', '--quiet', '--atomic', 'origin', ...refs);
    await release(a, 'buf', '1.30.0');

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
      await expectSound(name);
    }
    const log = createLogger('silent');
    const options = { dir: join(world.dir, 'copy'), env: process.env, log };
    const copy = await copySharedBucket({ ...options, history: world.history, blobs: world.blobs });
    expect(await findDamage(copy)).toBeUndefined();
    expect(await listRefs(copy)).toEqual(await world.history.refs());
  });

  describe('has a copy on each server that', () => {
    const objectsOf = (name: string): string => join(world.repo(name), 'objects');

    async function cutOff(name: string): Promise<void> {
      const packs = (await readdir(join(objectsOf(name), 'pack'))).filter((file) =>
        /\.(pack|idx|rev)$/.test(file),
      );
      for (const file of packs) await rm(join(objectsOf(name), 'pack', file), { force: true });
    }

    it.each<[string, (repo: string) => Promise<void>]>([
      ['has lost its packs', () => cutOff('b')],
      ['is missing', (repo) => rm(repo, { recursive: true })],
      ['has lost its branches', (repo) => rm(join(repo, 'refs', 'heads'), { recursive: true })],
      ['has no settings', (repo) => writeFile(join(repo, 'config'), 'nonsense')],
      [
        'has a ref of its own',
        (repo) => world.git.run(repo, 'update-ref', 'refs/tags/x/v1', 'HEAD').then(() => undefined),
      ],
      ['does not know how far it is', (repo) => rm(join(repo, 'go-win-tools.generation'))],
      [
        'is of another history',
        (repo) =>
          writeFile(join(repo, 'go-win-tools.generation'), '1 01234567-0000-4000-8000-000000000000\n'),
      ],
    ])('is made anew at the start when it %s', async (_what, damage) => {
      await release(a, 'delve', '1.22.0');
      await release(a, 'delve', '1.23.0');
      await b.bucket.ping();
      await world.close(b);
      await damage(world.repo('b'));

      b = await world.open('b');

      const clone = await world.git.clone(world.url(b), 'clone');
      await world.git.run(clone, 'fsck', '--strict');
      await expectSound('b');
      const work = await world.publisher.clone(world.url(b), 'work');
      const oid = await note(work, 'more');
      await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
      expect((await a.bucket.readTip('main'))?.commit).toBe(oid);
    });

    it('is made anew while it is used', async () => {
      await release(a, 'delve', '1.22.0');
      await b.bucket.ping();
      await cutOff('b');

      await expect
        .poll(async () => (await world.git.try(world.dir, 'clone', world.url(b), 'clone')).code)
        .toBe(0);

      await expectSound('b');
      expect(b.log.join('')).toContain('the copy of the bucket is made anew');
    });

    it('keeps a bucket that was there before, of a server that was alone', async () => {
      await world.close(b);
      await rm(join(world.repo('b'), 'go-win-tools.generation'));
      b = await world.open('b');
      const names = await readdir(join(world.dir, 'b', 'bucket'));
      expect(names.filter((name) => name.startsWith('repo.git.kept-'))).toHaveLength(1);
    });

    it('begins with a checkpoint, so that it needs few packs', async () => {
      const storing = await world.open('storing', { checkpointEvery: 25 });
      const work = await world.publisher.clone(world.url(storing), 'work');
      for (let at = 1; at <= 27; at += 1) {
        await note(work, `note-${at}`);
        await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
        if (at === 25) await expect.poll(() => world.history.lastCheckpoint()).toBe(25);
      }
      let opened = 0;
      await world.open('new', {
        blobs: (real) => ({
          ...real,
          open(...of) {
            opened += 1;
            return real.open(...of);
          },
        }),
      });
      expect(opened).toBe(3);
      await expectSound('new');
    });

    it('answers with 503 while it cannot catch up, and takes no other bytes than were stored', async () => {
      let answer: (() => Promise<Readable>) | undefined = () =>
        Promise.reject(new Error('the store is away'));
      const cut = await world.open('cut', {
        blobs: (real) => ({ ...real, open: (...of) => answer?.() ?? real.open(...of) }),
      });
      await release(a, 'delve', '1.22.0');
      const ask = () => fetch(`${cut.url}/m/delve.json`);

      expect((await ask()).status).toBe(503);
      await expect(cut.bucket.ping()).rejects.toMatchObject({ code: 'BUCKET_BEHIND' });
      answer = async () => Readable.from([Buffer.from('other bytes')]);
      await expect
        .poll(async () => [(await ask()).status, cut.log.join('').includes('has other bytes')])
        .toEqual([503, true]);

      answer = undefined;
      await expect.poll(async () => (await ask()).status).toBe(200);
      await expectSound('cut');
    });
  });
});

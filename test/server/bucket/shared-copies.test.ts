import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGit } from '../../../server/bucket/git-backend.ts';
import { ensureRepository } from '../../../server/bucket/repository.ts';
import { openSharedRepository } from '../../../server/bucket/shared-repository.ts';
import { createLogger } from '../../../server/log.ts';
import type { BucketServer } from './serve-bucket.ts';
import { type SharedWorld, startSharedPair } from './shared-world.ts';

describe("a server's copy of the shared bucket", () => {
  let world: SharedWorld;
  let a: BucketServer;
  let b: BucketServer;
  beforeEach(async () => {
    ({ world, a, b } = await startSharedPair());
  });
  afterEach(() => world.stop());

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
      (repo) => writeFile(join(repo, 'go-win-tools.generation'), '1 01234567-0000-4000-8000-000000000000\n'),
    ],
  ])('is made anew at the start when it %s', async (_what, damage) => {
    await world.release(a, 'delve', '1.22.0');
    await world.release(a, 'delve', '1.23.0');
    await b.bucket.ping();
    await world.close(b);
    await damage(world.repo('b'));

    b = await world.open('b');

    const clone = await world.git.clone(world.url(b), 'clone');
    await world.git.run(clone, 'fsck', '--strict');
    await world.expectSound('b');
    const work = await world.publisher.clone(world.url(b), 'work');
    const oid = await world.note(work, 'more');
    await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
    expect((await a.bucket.readTip('main'))?.commit).toBe(oid);
  });

  it.each([
    ['before anybody has asked for it', async () => undefined],
    ['after it was served', () => world.git.clone(world.url(b), 'before')],
  ])('is made anew while it is used, when it is damaged %s', async (_when, prepare) => {
    await world.release(a, 'delve', '1.22.0');
    await b.bucket.ping();
    await prepare();
    await cutOff('b');

    await expect
      .poll(async () => (await world.git.try(world.dir, 'clone', world.url(b), 'clone')).code)
      .toBe(0);

    await world.expectSound('b');
    expect(b.log.join('')).toContain('the copy of the bucket is made anew');
  });

  it('keeps a bucket that was there before, of a server that was alone', async () => {
    await world.close(b);
    await rm(join(world.repo('b'), 'go-win-tools.generation'));
    b = await world.open('b');
    const names = await readdir(join(world.dir, 'b', 'bucket'));
    expect(names.filter((name) => name.startsWith('repo.git.kept-'))).toHaveLength(1);
  });

  it('stays when git is not in PATH', async () => {
    await world.release(a, 'delve', '1.22.0');
    await b.bucket.ping();
    await world.close(b);
    const dir = join(world.dir, 'b', 'bucket');
    const git = createGit(world.repo('b'), dir, { PATH: join(world.dir, 'none') });
    const { history, blobs } = world;
    const ensure = () => ensureRepository(dir, git);
    const opened = openSharedRepository({ dir, git, ensure, history, blobs, log: createLogger('silent') });

    await expect(opened).rejects.toMatchObject({ code: 'GIT_MISSING' });

    await world.expectSound('b');
  });

  it('begins with a checkpoint, so that it needs few packs', async () => {
    const storing = await world.open('storing', { checkpointEvery: 25 });
    const work = await world.publisher.clone(world.url(storing), 'work');
    for (let at = 1; at <= 27; at += 1) {
      await world.note(work, `note-${at}`);
      await world.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
      if (at === 25) await expect.poll(() => world.history.lastCheckpoint()).toBe(25);
    }
    let opened = 0;
    const server = await world.open('new', {
      blobs: (real) => ({
        ...real,
        open(...of) {
          opened += 1;
          return real.open(...of);
        },
      }),
    });
    expect(opened).toBe(0);
    await server.bucket.ping();
    expect(opened).toBe(3);
    await world.expectSound('new');

    // The object of the newest one is missing, as after a database was restored from an old dump.
    for (const at of [26, 27])
      await world.history.keepCheckpoint(at, { sha256: `${at}`.padEnd(64, 'f'), sizeBytes: 1 });
    const sql = 'SELECT generation FROM bucket_checkpoints ORDER BY generation';
    expect(world.db.prepare(sql).pluck().all()).toEqual([26, 27]);
    const late = await world.open('late');
    await late.bucket.ping();
    expect(late.log.join('')).toContain('its pushes are taken one by one');
    await world.expectSound('late');
  });

  it('answers with 503 while it cannot catch up, and refuses bytes that differ from those stored', async () => {
    let answer: (() => Promise<Readable>) | undefined = () => Promise.reject(new Error('the store is away'));
    const cut = await world.open('cut', {
      blobs: (real) => ({ ...real, open: (...of) => answer?.() ?? real.open(...of) }),
    });
    await world.release(a, 'delve', '1.22.0');
    const ask = () => fetch(`${cut.url}/m/delve.json`);

    expect((await ask()).status).toBe(503);
    await expect(cut.bucket.ping()).rejects.toMatchObject({ code: 'BUCKET_BEHIND' });
    answer = async () => Readable.from([Buffer.from('other bytes')]);
    await expect
      .poll(async () => [(await ask()).status, cut.log.join('').includes('has other bytes')])
      .toEqual([503, true]);

    answer = undefined;
    await expect.poll(async () => (await ask()).status).toBe(200);
    await world.expectSound('cut');
  });
});

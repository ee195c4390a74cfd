import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGit } from '../../../server/bucket/git-backend.ts';
import { ensureRepository } from '../../../server/bucket/repository.ts';
import { openSharedRepository } from '../../../server/bucket/shared-repository.ts';
import { createLogger } from '../../../server/log.ts';
import type { BucketServer } from './serve-bucket.ts';
import { type SharedFixture, startSharedPair } from './shared-fixture.ts';

describe("a server's copy of the shared bucket", () => {
  let fixture: SharedFixture;
  let a: BucketServer;
  let b: BucketServer;
  beforeEach(async () => {
    ({ fixture, a, b } = await startSharedPair());
  });
  afterEach(() => fixture.stop());

  const objectsOf = (name: string): string => join(fixture.repo(name), 'objects');

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
      (repo) => fixture.git.run(repo, 'update-ref', 'refs/tags/x/v1', 'HEAD').then(() => undefined),
    ],
    ['does not know how far it is', (repo) => rm(join(repo, 'go-win-tools.generation'))],
    [
      'is of another history',
      (repo) => writeFile(join(repo, 'go-win-tools.generation'), '1 01234567-0000-4000-8000-000000000000\n'),
    ],
  ])('is made anew at the start when it %s', async (_what, damage) => {
    await fixture.release(a, 'delve', '1.22.0');
    await fixture.release(a, 'delve', '1.23.0');
    await b.bucket.ping();
    await fixture.close(b);
    await damage(fixture.repo('b'));

    b = await fixture.open('b');

    const clone = await fixture.git.clone(fixture.url(b), 'clone');
    await fixture.git.run(clone, 'fsck', '--strict');
    await fixture.expectSound('b');
    const work = await fixture.publisher.clone(fixture.url(b), 'work');
    const oid = await fixture.note(work, 'more');
    await fixture.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
    expect((await a.bucket.readTip('main'))?.commit).toBe(oid);
  });

  it.each([
    ['before anybody has asked for it', async () => undefined],
    ['after it was served', () => fixture.git.clone(fixture.url(b), 'before')],
  ])('is made anew while it is used, when it is damaged %s', async (_when, prepare) => {
    await fixture.release(a, 'delve', '1.22.0');
    await b.bucket.ping();
    await prepare();
    await cutOff('b');

    await expect
      .poll(async () => (await fixture.git.try(fixture.dir, 'clone', fixture.url(b), 'clone')).code)
      .toBe(0);

    await fixture.expectSound('b');
    expect(b.log.join('')).toContain('the copy of the bucket is made anew');
  });

  it('keeps a bucket that was there before, of a server that was alone', async () => {
    await fixture.close(b);
    await rm(join(fixture.repo('b'), 'go-win-tools.generation'));
    b = await fixture.open('b');
    const names = await readdir(join(fixture.dir, 'b', 'bucket'));
    expect(names.filter((name) => name.startsWith('repo.git.kept-'))).toHaveLength(1);
  });

  it('stays when git is not in PATH', async () => {
    await fixture.release(a, 'delve', '1.22.0');
    await b.bucket.ping();
    await fixture.close(b);
    const dir = join(fixture.dir, 'b', 'bucket');
    const git = createGit(fixture.repo('b'), dir, { PATH: join(fixture.dir, 'none') });
    const { history, blobs } = fixture;
    const ensure = () => ensureRepository(dir, git);
    const opened = openSharedRepository({ dir, git, ensure, history, blobs, log: createLogger('silent') });

    await expect(opened).rejects.toMatchObject({ code: 'GIT_MISSING' });

    await fixture.expectSound('b');
  });

  it('begins with a checkpoint, so that it needs few packs', async () => {
    const storing = await fixture.open('storing', { checkpointEvery: 25 });
    const work = await fixture.publisher.clone(fixture.url(storing), 'work');
    for (let at = 1; at <= 27; at += 1) {
      await fixture.note(work, `note-${at}`);
      await fixture.publisher.run(work, 'push', '--quiet', 'origin', 'HEAD:main');
      if (at === 25) await expect.poll(() => fixture.history.lastCheckpoint()).toBe(25);
    }
    let opened = 0;
    const server = await fixture.open('new', {
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
    await fixture.expectSound('new');

    // The object of the newest one is missing, as after a database was restored from an old dump.
    for (const at of [26, 27])
      await fixture.history.keepCheckpoint(at, { sha256: `${at}`.padEnd(64, 'f'), sizeBytes: 1 });
    const sql = 'SELECT generation FROM bucket_checkpoints ORDER BY generation';
    expect(fixture.db.prepare(sql).pluck().all()).toEqual([26, 27]);
    const late = await fixture.open('late');
    await late.bucket.ping();
    expect(late.log.join('')).toContain('its pushes are taken one by one');
    await fixture.expectSound('late');
  });

  it('answers with 503 while it cannot catch up, and refuses bytes that differ from those stored', async () => {
    let answer: (() => Promise<Readable>) | undefined = () => Promise.reject(new Error('the store is away'));
    const cut = await fixture.open('cut', {
      blobs: (real) => ({ ...real, open: (...of) => answer?.() ?? real.open(...of) }),
    });
    await fixture.release(a, 'delve', '1.22.0');
    const ask = () => fetch(`${cut.url}/m/delve.json`);

    expect((await ask()).status).toBe(503);
    await expect(cut.bucket.ping()).rejects.toMatchObject({ code: 'BUCKET_BEHIND' });
    answer = async () => Readable.from([Buffer.from('other bytes')]);
    await expect
      .poll(async () => [(await ask()).status, cut.log.join('').includes('has other bytes')])
      .toEqual([503, true]);

    answer = undefined;
    await expect.poll(async () => (await ask()).status).toBe(200);
    await fixture.expectSound('cut');
  });
});

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGit } from '../../../server/bucket/git-backend.ts';
import { readRef } from '../../../server/bucket/refs.ts';
import { ensureRepository, initRepository, isInitialized } from '../../../server/bucket/repository.ts';
import { seed } from '../../../server/bucket/seed.ts';
import { createGitClient, type GitClient } from '../../kit/git.ts';

/** Another id makes new buckets differ from those that exist: see server/bucket/seed.ts. */
const root = '073ecf1958e30b0d78938ca970c28724a099b90c';

describe('the repository of the bucket', () => {
  let dir: string;
  let repo: string;
  let git: GitClient;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'go-win-tools-repository-'));
    repo = join(dir, 'repo.git');
    git = await createGitClient(dir);
  });
  afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  const ensure = (env: NodeJS.ProcessEnv = process.env): Promise<void> =>
    ensureRepository(dir, createGit(repo, dir, env));

  it('begins with one commit whose id never changes', async () => {
    await ensure();

    expect(seed.commit).toBe(root);
    expect(await readRef(repo, 'refs/heads/main')).toBe(root);
    expect(await readRef(repo, 'refs/heads/beta')).toBe(root);
    expect(await git.run(repo, 'fsck', '--strict')).toBe('');
    expect(await readFile(join(repo, 'logs', 'refs', 'heads', 'main'), 'utf8')).toContain(
      `${root} go-win-tools <go-win-tools@localhost>`,
    );
    expect((await git.run(repo, 'ls-tree', '-r', '--name-only', 'main')).split('\n')).toEqual([
      '.editorconfig',
      '.gitattributes',
      'README.md',
      'bucket/.gitkeep',
    ]);
  });

  it.each([
    ['HEAD', undefined],
    ['config', ''],
    ['config', '[core]\n\tbare = false\n'],
    ['refs', undefined],
    ['objects/info', undefined],
    ['objects/pack', undefined],
  ])('needs git only where something is missing: %s with %j', async (name, text) => {
    await initRepository(createGit(repo, dir, process.env));
    const whole = await isInitialized(repo);
    await rm(join(repo, name), { recursive: true });
    if (text !== undefined) await writeFile(join(repo, name), text);
    const broken = await isInitialized(repo);
    await initRepository(createGit(repo, dir, process.env));

    expect([whole, broken, await isInitialized(repo)]).toEqual([true, false, true]);
  });

  it('is the same whatever git finds in the environment', async () => {
    await ensure({
      ...process.env,
      GIT_DIR: '/nowhere',
      GIT_AUTHOR_NAME: 'Somebody',
      GIT_DEFAULT_HASH: 'sha256',
      GIT_OBJECT_DIRECTORY: '/nowhere',
    });

    expect(await readRef(repo, 'refs/heads/main')).toBe(root);
  });

  it('is unchanged by the next start, and by one that was killed halfway', async () => {
    await ensure();
    await git.run(repo, 'update-ref', '-d', 'refs/heads/beta');
    await ensure();
    const before = await git.run(repo, 'for-each-ref');
    await ensure();

    expect(await git.run(repo, 'for-each-ref')).toBe(before);
    expect(await readRef(repo, 'refs/heads/beta')).toBe(root);
  });

  it('includes our settings again where its own configuration lost them', async () => {
    await ensure();
    const included = await git.run(repo, 'config', 'gc.pruneExpire');
    await git.run(repo, 'config', '--unset-all', 'include.path');
    await ensure();
    await ensure();

    expect(included).toBe('never');
    expect(await git.run(repo, 'config', '--get-all', 'gc.pruneExpire')).toBe('never');
    expect(await git.run(repo, 'config', '--get-all', 'include.path')).toBe('go-win-tools.config');
  });

  it('is not given a missing branch again when the other one has moved on', async () => {
    await ensure();
    const work = await git.clone(repo, 'work');
    const moved = await git.commit(work, '(chore): Move on', { 'MORE.md': 'more\n' });
    await git.run(repo, 'fetch', '-q', work, `${moved}:refs/heads/main`);
    await git.run(repo, 'update-ref', '-d', 'refs/heads/beta');

    await ensure();

    expect(await readRef(repo, 'refs/heads/main')).toBe(moved);
    expect(await readRef(repo, 'refs/heads/beta')).toBeUndefined();
  });

  it('has its branches, packed or not, in both views', async () => {
    await ensure();
    await git.run(repo, 'tag', 'buf/v1.0.0', 'main');
    await git.run(repo, 'pack-refs', '--all');

    expect(await readFile(join(repo, 'packed-refs'), 'utf8')).toContain('refs/heads/main');
    expect(await readRef(repo, 'refs/heads/main')).toBe(root);
    expect(await readRef(repo, 'refs/tags/buf/v1.0.0')).toBe(root);
    expect(await readRef(repo, 'refs/tags/buf')).toBeUndefined();
    expect(await readRef(repo, 'refs/tags/../heads/main')).toBeUndefined();
    for (const channel of ['main', 'beta']) {
      expect(await git.run(join(dir, `${channel}.git`), 'symbolic-ref', 'HEAD')).toBe(
        `refs/heads/${channel}`,
      );
      expect(await git.run(join(dir, `${channel}.git`), 'rev-parse', 'HEAD')).toBe(root);
    }
  });

  it('removes the locks and partial pushes of a killed process', async () => {
    await ensure();
    const leftovers = ['refs/heads/main.lock', 'packed-refs.lock', 'objects/tmp_objdir-incoming-x/pack'];
    for (const name of leftovers) {
      await mkdir(join(repo, name, '..'), { recursive: true });
      await writeFile(join(repo, name), '');
    }

    await ensure();

    expect(leftovers.filter((name) => existsSync(join(repo, name)))).toEqual([]);
    await git.run(repo, 'update-ref', 'refs/heads/main', root);
  });

  it('keeps objects that belong to no branch, however old, when it is packed', async () => {
    await ensure();
    const oid = await git.hashBlob(repo, 'belongs to nothing\n');
    const long = new Date('2001-01-01');
    await utimes(join(repo, 'objects', oid.slice(0, 2), oid.slice(2)), long, long);

    // After a push git packs in the view that was pushed to.
    await git.run(join(dir, 'beta.git'), 'gc', '-q');

    expect(await git.run(repo, 'cat-file', 'blob', oid)).toBe('belongs to nothing');
    for (const channel of ['main', 'beta']) {
      const clone = await git.clone(join(dir, `${channel}.git`), channel);
      expect(await git.run(clone, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe(channel);
    }
  });

  it('refuses a push by path: only the server can check it', async () => {
    await ensure();
    const work = await git.clone(join(dir, 'beta.git'), 'work');
    await git.commit(work, '(chore): Go round the server', { 'MORE.md': 'more\n' });

    for (const target of ['repo.git', 'beta.git']) {
      const { code, stderr } = await git.try(work, 'push', join(dir, target), 'beta');
      expect(code).not.toBe(0);
      expect(stderr).toContain('This bucket takes pushes only through its server');
    }
    expect(await readRef(repo, 'refs/heads/beta')).toBe(root);
  });
});

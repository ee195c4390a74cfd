import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';
import { hasS3Server, type S3Server, startS3Server } from '../kit/s3-server.ts';
import { type ServeProcess, startServe } from '../kit/serve-process.ts';
import { makeTempDir } from '../kit/test-server.ts';

const needed = 'needs PostgreSQL and versitygw';

describe.skipIf(!hasPostgres || !hasS3Server)(`the bucket on replicas (${needed})`, () => {
  const key = 'an-admin-key-for-the-bucket';
  let postgres: Postgres;
  let s3: S3Server;
  let settings: Readonly<Record<string, string>>;
  let dir: string;
  let git: GitClient;
  const running = new Map<string, ServeProcess>();
  beforeAll(async () => {
    [postgres, s3, dir] = await Promise.all([startPostgres(), startS3Server(), makeTempDir()]);
    git = await createGitClient(dir, key);
    settings = {
      DATABASE_URL: postgres.url,
      BLOB_STORE: `s3://${await s3.createBucket()}/feed`,
      S3_ENDPOINT: s3.endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      PUBLIC_URL: 'http://feed.example',
      ADMIN_API_KEY: key,
    };
    for (const name of ['a', 'b', 'c']) await start(name);
  });
  afterAll(async () => {
    for (const name of running.keys()) await end(name, 'SIGTERM');
    await postgres.stop();
    await s3.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function start(name: string): Promise<void> {
    running.set(name, await startServe({ ...settings, DATA_DIR: join(dir, name) }));
  }
  async function end(name: string, signal: NodeJS.Signals): Promise<void> {
    await running.get(name)?.end(signal);
    running.delete(name);
  }
  const url = (name: string): string => `${running.get(name)?.url}/git/main/go-win-tools.git`;
  const note = (work: string, name: string): Promise<string> =>
    git.commit(work, `(chore): ${name}`, { [`${name}.md`]: `${name}\n` });
  const push = (work: string, name: string) => git.try(work, 'push', url(name), 'HEAD:main');
  const headAt = async (name: string): Promise<string> =>
    (await git.run(dir, 'ls-remote', url(name), 'refs/heads/main')).slice(0, 40);

  /** The moves of main in the audit log, each from where the one before it went. */
  async function expectOneLine(head: string): Promise<void> {
    const sql = `SELECT digest FROM audit WHERE kind = 'bucket moved' AND subject = 'refs/heads/main' ORDER BY number`;
    const moves = (await postgres.sql(sql)).split('\n').map((line) => line.split('->'));
    for (const [at, [from]] of moves.entries()) {
      if (at > 0) expect(from).toBe(moves[at - 1]?.[1]);
    }
    expect(moves.at(-1)?.[1]).toBe(head);
  }

  it('shows a push on every replica once the client has its answer', async () => {
    const work = await git.clone(url('a'), 'first');
    for (let round = 0; round < 9; round += 1) {
      const [at = '', other = '', third = ''] = ['a', 'b', 'c', 'a', 'b'].slice(round % 3);
      const oid = await note(work, `round-${round}`);
      const pushed = await push(work, at);
      expect(pushed).toMatchObject({ code: 0 });
      expect(await Promise.all([headAt(other), headAt(third)])).toEqual([oid, oid]);
    }
    await expectOneLine(await headAt('a'));
  });

  it('keeps one line of commits while all of them are pushed to', async () => {
    const names = ['a', 'b', 'c'];
    await Promise.all(
      names.map(async (name) => {
        const work = await git.clone(url(name), `race-${name}`);
        for (let round = 0; round < 4; round += 1) {
          await note(work, `race-${name}-${round}`);
          // Whoever loses fetches and pushes again.
          for (let code: number | null = 1; code !== 0; ) {
            ({ code } = await push(work, name));
            if (code !== 0) await git.run(work, 'pull', '--quiet', '--rebase', url(name), 'main');
          }
        }
      }),
    );
    const heads = await Promise.all(names.map(headAt));
    expect(new Set(heads).size).toBe(1);
    const clone = await git.clone(url('b'), 'after-race');
    const subjects = (await git.run(clone, 'log', '--format=%s')).split('\n');
    const expected = names.flatMap((name) => [0, 1, 2, 3].map((round) => `(chore): race-${name}-${round}`));
    expect(subjects.filter((subject) => subject.includes('race-')).sort()).toEqual(expected.sort());
    await expectOneLine(heads[0] ?? '');
  });

  it('loses nothing that was confirmed when a replica is killed, and is made again where a folder is lost', async () => {
    const work = await git.clone(url('a'), 'killed');
    const oid = await note(work, 'confirmed');
    expect(await push(work, 'a')).toMatchObject({ code: 0 });
    await end('a', 'SIGKILL');
    expect(await headAt('b')).toBe(oid);

    const next = await note(work, 'at-another-one');
    expect(await push(work, 'b')).toMatchObject({ code: 0 });
    await end('c', 'SIGKILL');
    await rm(join(dir, 'c'), { recursive: true });
    await Promise.all(['a', 'c'].map(start));

    expect(await Promise.all(['a', 'c'].map(headAt))).toEqual([next, next]);
    await git.run(await git.clone(url('c'), 'after-loss'), 'fsck', '--strict');
  });
});

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { makeTempDir } from '../kit/test-server.ts';

describe.skipIf(!canCluster)('the bucket on replicas (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let dir: string;
  let git: GitClient;
  beforeAll(async () => {
    [cluster, dir] = await Promise.all([startCluster(3), makeTempDir()]);
    git = await createGitClient(dir, cluster.adminKey);
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const replica = (number: number): Replica => cluster.replicas[number % 3] as Replica;
  const url = (number: number): string => `${replica(number).url}/git/main/go-win-tools.git`;
  const note = (work: string, name: string): Promise<string> =>
    git.commit(work, `(chore): ${name}`, { [`${name}.md`]: `${name}\n` });
  const push = (work: string, number: number) => git.try(work, 'push', url(number), 'HEAD:main');

  /** A replica may say 503 while the machine has no time for it; what it answers otherwise has to be right. */
  async function insist(cwd: string, ...args: string[]): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const { code, stdout, stderr } = await git.try(cwd, ...args);
      if (code === 0) return stdout.trim();
      if (attempt === 30) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    }
  }
  async function pushUntilAccepted(work: string, number: number): Promise<void> {
    for (let attempt = 1; (await push(work, number)).code !== 0; attempt += 1) {
      if (attempt === 60) throw new Error('the push was never accepted');
      await insist(work, 'pull', '--quiet', '--rebase', url(number), 'main');
    }
  }
  async function clone(number: number, name: string): Promise<string> {
    await insist(dir, 'clone', '--quiet', url(number), name);
    return `${dir}/${name}`;
  }
  const headAt = async (number: number): Promise<string> =>
    (await insist(dir, 'ls-remote', url(number), 'refs/heads/main')).slice(0, 40);

  /** The moves of main in the audit log, each from where the one before it went. */
  async function expectOneLine(head: string): Promise<void> {
    const sql = `SELECT digest FROM audit WHERE kind = 'bucket moved' AND subject = 'refs/heads/main' ORDER BY number`;
    const moves = (await cluster.postgres.sql(sql)).split('\n').map((line) => line.split('->'));
    for (const [at, [from]] of moves.entries()) {
      if (at > 0) expect(from).toBe(moves[at - 1]?.[1]);
    }
    expect(moves.at(-1)?.[1]).toBe(head);
  }

  it('shows a push on every replica once the client has its answer', async () => {
    const work = await clone(0, 'first');
    for (let round = 0; round < 9; round += 1) {
      const oid = await note(work, `round-${round}`);
      await pushUntilAccepted(work, round);
      expect(await Promise.all([headAt(round + 1), headAt(round + 2)])).toEqual([oid, oid]);
    }
    await expectOneLine(await headAt(0));
  });

  it('keeps one line of commits while all of them are pushed to', async () => {
    await Promise.all(
      [0, 1, 2].map(async (number) => {
        const work = await clone(number, `race-${number}`);
        for (let round = 0; round < 4; round += 1) {
          await note(work, `race-${number}-${round}`);
          await pushUntilAccepted(work, number);
        }
      }),
    );

    const heads = await Promise.all([0, 1, 2].map(headAt));
    expect(new Set(heads).size).toBe(1);
    const subjects = (await git.run(await clone(1, 'after-race'), 'log', '--format=%s')).split('\n');
    const expected = [0, 1, 2].flatMap((number) =>
      [0, 1, 2, 3].map((round) => `(chore): race-${number}-${round}`),
    );
    expect(subjects.filter((subject) => subject.includes('race-')).sort()).toEqual(expected.sort());
    await expectOneLine(heads[0] ?? '');
  });

  it('loses nothing that was confirmed when a replica is killed, and needs none of its files', async () => {
    const work = await clone(0, 'killed');
    const oid = await note(work, 'confirmed');
    await pushUntilAccepted(work, 0);
    await replica(0).kill();
    expect(await headAt(1)).toBe(oid);

    const next = await note(work, 'at-another');
    await pushUntilAccepted(work, 1);
    await replica(2).kill();
    await rm(replica(2).dataDir, { recursive: true });
    await Promise.all([replica(0).start(), replica(2).start()]);

    expect(await Promise.all([headAt(0), headAt(2)])).toEqual([next, next]);
    await git.run(await clone(2, 'after-loss'), 'fsck', '--strict');
  });
});

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { deltaBomb, writePack, zeros } from '../../kit/pack-bombs.ts';
import { commands, packOf, rawPush } from '../../kit/raw-push.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

describe('a small push that unpacks to a huge one', () => {
  let server: BucketServer;
  let git: GitClient;
  let address: string;
  let work: string;
  let cur: string;

  beforeAll(async () => {
    server = await serveBucket();
    git = await createGitClient(server.dir, 'key-push');
    address = `${server.url}/git/beta/go-win-tools.git`;
    work = await git.clone(address, 'work');
    cur = await git.run(work, 'rev-parse', 'beta');
  });
  afterAll(() => server.stop());

  /** What the pusher is told; meanwhile the server answers others. */
  async function push(key: string, next: string, pack: Buffer): Promise<string> {
    const before = await git.run(server.dir, 'ls-remote', address);
    let isOver = false;
    let answered = 0;
    const pushed = rawPush(address, key, commands(`${cur} ${next} refs/heads/beta`), pack).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const answer = await fetch(`${server.url}/m/beta/nothing.json`);
      expect(answer.status).toBe(404);
      answered += 1;
    }
    const { text } = await pushed;
    expect(answered).toBeGreaterThan(0);
    expect(text).not.toContain('ok refs/');
    expect(await git.run(server.dir, 'ls-remote', address)).toBe(before);
    return text;
  }

  // Each process of git has a limit of memory on Linux; elsewhere nothing of git's own bounds these.
  describe.skipIf(process.platform !== 'linux')('in git', () => {
    it.each([
      ['a folder', async () => writePack([await zeros('tree', 300_000_000)])],
      ['deltas of deltas', async () => deltaBomb(250, 100)],
    ])('by %s is refused for its memory', async (_name, make) => {
      const pack = await make();

      expect(pack.length).toBeLessThan(2 * 1024 * 1024);
      expect(await push('key-push', '1'.repeat(40), pack)).toContain('fatal: Out of memory');
      const left = await readdir(join(server.bucketDir, 'repo.git', 'objects'));
      expect(left.filter((name) => name.startsWith('tmp_objdir'))).toEqual([]);
    });
  });

  /** A tree of these entries: `MODE TYPE OID\tNAME`. */
  function tree(entries: readonly string[]): string {
    return execFileSync('git', ['mktree'], { cwd: work, input: `${entries.join('\n')}\n` })
      .toString()
      .trim();
  }
  async function commitOf(entries: readonly string[]): Promise<string> {
    const kept = await git.run(work, 'ls-tree', cur);
    const root = tree([...kept.split('\n'), ...entries]);
    return git.run(work, 'commit-tree', root, '-p', cur, '-m', '(chore): Grow');
  }
  function folders(depth: number, width: number): string {
    let inner = tree([
      `100644 blob ${execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: work, input: 'x\n' }).toString().trim()}\tx.md`,
    ]);
    for (let level = 0; level < depth; level += 1) {
      inner = tree(Array.from({ length: width }, (_none, index) => `040000 tree ${inner}\td${index}`));
    }
    return inner;
  }

  it('by folders that contain each other many times is refused for its work', async () => {
    const next = await commitOf([`040000 tree ${folders(6, 40)}\tmore`]);
    const pack = packOf(work, [next], [cur]);

    expect(pack.length).toBeLessThan(32 * 1024);
    expect(await push('key-push', next, pack)).toMatch(
      /The push has more than \d+ (changes of files|entries of folders)/,
    );
  });

  it('by folders that contain each other deeply is refused for its depth', async () => {
    const next = await commitOf([`040000 tree ${folders(50, 1)}\tmore`]);

    expect(await push('key-push', next, packOf(work, [next], [cur]))).toContain(
      'more than 8 folders above it',
    );
  });

  describe('by many commits of many files', () => {
    let next: string;
    let pack: Buffer;
    beforeAll(async () => {
      const [commits, files] = [250, 10_000];
      const text = '{}\n';
      const blob = `blob\nmark :1\ndata ${text.length}\n${text}`;
      const paths = Array.from({ length: files }, (_none, index) => `M 100644 :1 bucket/t${index}.json\n`);
      const commit = (index: number, changes: string): string =>
        `commit refs/heads/bomb\ncommitter a <a@b> ${1_800_000_000 + index} +0000\ndata 7\n(chore)\n${index === 0 ? `from ${cur}\n` : ''}${changes}\n`;
      const stream = [blob, commit(0, paths.join(''))];
      for (let index = 1; index < commits; index += 1) {
        stream.push(
          commit(
            index,
            `M 100644 inline more-${index % 5}.md\ndata 33\n${randomBytes(16).toString('hex')}\n\nM 100644 inline bucket/t${index}.json\ndata 33\n${randomBytes(16).toString('hex')}\n`,
          ),
        );
      }
      execFileSync('git', ['fast-import', '--quiet', '--depth=250'], { cwd: work, input: stream.join('') });
      next = await git.run(work, 'rev-parse', 'bomb');
      pack = packOf(work, [next], [cur]);
    });

    it('is refused for its work', async () => {
      expect(pack.length).toBeLessThan(1024 * 1024);
      expect(await push('key-push', next, pack)).toMatch(/The push has more than/);
    });

    it('is refused by its first commit when the key may not touch them', async () => {
      const told = await push('key-beta-buf', next, pack);

      expect(told).toContain('This key may not push beta for t0: it is limited to buf.');
    });
  });
});

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { type BucketServer, serveBucket } from '../server/bucket/serve-bucket.ts';

/** What Scoop does with a bucket (spec scoop 1.1 and 1.4), done with the git that it does it with. */
describe('the bucket for Scoop', () => {
  let server: BucketServer;
  let reader: GitClient;
  let pusher: GitClient;

  beforeAll(async () => {
    server = await serveBucket();
    reader = await createGitClient(server.dir);
    pusher = await createGitClient(server.dir, 'key-push');
  });
  afterAll(() => server.stop());

  it.each([
    ['main', 'go-win-tools'],
    ['main', 'go-win-tools.git'],
    ['beta', 'go-win-tools'],
    ['beta', 'go-win-tools.git'],
  ])('can be cloned from /git/%s/%s at once, and is not empty', async (channel, name) => {
    const url = `${server.url}/git/${channel}/${name}`;
    // Scoop asks this first and takes any failure for "not a git repository".
    await reader.run(server.dir, 'ls-remote', url);

    const clone = await reader.clone(url, `first-${channel}-${name}`);

    expect(await reader.run(clone, 'symbolic-ref', '--short', 'HEAD')).toBe(channel);
    expect((await reader.run(clone, 'branch', '--remotes')).split(/\s+/)).toEqual(
      expect.arrayContaining(['origin/main', 'origin/beta']),
    );
    expect(await readdir(join(clone, 'bucket'))).toEqual(['.gitkeep']);
    expect(existsSync(join(clone, 'README.md'))).toBe(true);
  });

  it('begins with the same commit on every server', async () => {
    const other = await serveBucket();
    const heads = async (url: string): Promise<string[]> =>
      (await reader.run(server.dir, 'ls-remote', `${url}/git/main/go-win-tools.git`)).split('\n');

    const [ours, theirs] = [await heads(server.url), await heads(other.url)];
    await other.stop();

    expect(theirs.map((line) => line.slice(0, 40))).toEqual(ours.map((line) => line.slice(0, 40)));
    expect(ours.map((line) => line.split('\t')[1])).toEqual(['HEAD', 'refs/heads/beta', 'refs/heads/main']);
  });

  it('takes a beta, then its promotion to both branches in one push, and clients follow by git pull -q', async () => {
    const betaUser = await reader.clone(`${server.url}/git/beta/go-win-tools`, 'beta-user');
    const mainUser = await reader.clone(`${server.url}/git/main/go-win-tools.git`, 'main-user');
    const work = await pusher.clone(`${server.url}/git/beta/go-win-tools.git`, 'work');

    const beta = server.manifest('buf', '1.32.0-beta.1');
    await pusher.commit(work, 'buf: Update to version 1.32.0-beta.1', { 'bucket/buf.json': beta });
    await pusher.run(work, 'tag', 'buf/v1.32.0-beta.1');
    await pusher.run(work, 'push', '--atomic', 'origin', 'beta', 'buf/v1.32.0-beta.1');

    await reader.run(betaUser, 'pull', '-q');
    await reader.run(mainUser, 'pull', '-q');
    expect(JSON.parse(await readFile(join(betaUser, 'bucket', 'buf.json'), 'utf8')).version).toBe(
      '1.32.0-beta.1',
    );
    expect(existsSync(join(mainUser, 'bucket', 'buf.json'))).toBe(false);

    const stable = server.manifest('buf', '1.32.0');
    await pusher.commit(work, 'buf: Update to version 1.32.0', { 'bucket/buf.json': stable });
    await pusher.run(work, 'switch', '--quiet', 'main');
    await pusher.commit(work, 'buf: Update to version 1.32.0', { 'bucket/buf.json': stable });
    await pusher.run(work, 'tag', 'buf/v1.32.0');
    await pusher.run(work, 'push', '--atomic', 'origin', 'main', 'beta', 'buf/v1.32.0');

    await reader.run(betaUser, 'pull', '-q');
    await reader.run(mainUser, 'pull', '-q');
    const blob = (clone: string): Promise<string> => reader.run(clone, 'rev-parse', 'HEAD:bucket/buf.json');
    expect(JSON.parse(await readFile(join(mainUser, 'bucket', 'buf.json'), 'utf8')).version).toBe('1.32.0');
    expect(await blob(betaUser)).toBe(await blob(mainUser));
  });

  it('checks out CRLF files whatever line ends a client prefers, and none is dirty', async () => {
    for (const autocrlf of ['true', 'false', 'input']) {
      const clone = await reader.clone(
        `${server.url}/git/main/go-win-tools`,
        `crlf-${autocrlf}`,
        '-c',
        `core.autocrlf=${autocrlf}`,
      );

      expect(await reader.run(clone, 'status', '--porcelain')).toBe('');
      for (const file of ['README.md', 'bucket/.gitkeep', '.gitattributes']) {
        const lines = (await readFile(join(clone, file), 'utf8')).split('\n').slice(0, -1);
        expect(lines.filter((line) => !line.endsWith('\r'))).toEqual([]);
        expect(await reader.run(clone, 'cat-file', 'blob', `HEAD:${file}`)).not.toContain('\r');
      }
    }
  });

  // spec scoop 1.5: what a usual `git pull -q` of a client does, by the client's own settings
  it.each([[[]], [['-c', 'pull.rebase=false']], [['-c', 'pull.ff=only']], [['-c', 'pull.rebase=true']]])(
    'is followed by a client with %j through releases, a chore and a refused rewrite',
    async (settings: string[]) => {
      const name = `follower-${settings.join('-').replace(/[^a-z]/g, '')}`;
      const client = await reader.clone(`${server.url}/git/beta/go-win-tools`, name);
      const work = await pusher.clone(`${server.url}/git/beta/go-win-tools.git`, `${name}-work`);
      const tool = name.replaceAll('-', '');
      const release = (version: string): Promise<string> =>
        pusher.commit(work, `${tool}: Update to version ${version}`, {
          [`bucket/${tool}.json`]: server.manifest(tool, version),
        });
      const follow = async (): Promise<string> => {
        await reader.run(client, ...settings, 'pull', '-q');
        return reader.run(client, 'rev-parse', 'HEAD');
      };

      await release('1.0.0-beta.1');
      await release('1.0.0-beta.2');
      const second = await pusher.commit(work, '(chore): Say more', { 'MORE.md': `${name}\n` });
      await pusher.run(work, 'push', '-q', 'origin', 'beta');
      expect(await follow()).toBe(second);

      await pusher.run(work, 'reset', '-q', '--hard', 'HEAD~2');
      await release('1.0.0-beta.3');
      const rewrite = await pusher.try(work, 'push', '--force', 'origin', 'beta');
      expect(rewrite.stderr).toContain('beta only moves forward');
      expect(await follow()).toBe(second);
      // `scoop status` compares with origin/<current branch>
      expect(await reader.run(client, 'status', '--porcelain', '--branch')).toBe('## beta...origin/beta');
    },
  );

  it('lets a clone of main switch to beta and back in place, as a Scoop user may', async () => {
    const clone = await reader.clone(`${server.url}/git/main/go-win-tools`, 'switcher');

    await reader.run(clone, 'checkout', '-q', 'beta');
    await reader.run(clone, 'pull', '-q');

    expect(await reader.run(clone, 'rev-parse', 'HEAD')).toBe(
      await reader.run(clone, 'rev-parse', 'origin/beta'),
    );
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { ensureBucket } from '../../../server/bucket/bucket.ts';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { type BucketServer, keys, serveBucket } from './serve-bucket.ts';

describe('the git routes', () => {
  let server: BucketServer;
  afterEach(() => server.stop());

  const address = (channel = 'beta'): string => `${server.url}/git/${channel}/go-win-tools.git`;
  const refs = async (git: GitClient): Promise<string> => git.run(server.dir, 'ls-remote', address());
  const withKey = (key: string): string => address().replace('://', `://anybody:${key}@`);
  async function start(options: Parameters<typeof serveBucket>[0] = {}): Promise<GitClient> {
    server = await serveBucket(options);
    return createGitClient(server.dir);
  }

  it.each(['0', '1', '2'])('serve clone, fetch and push by protocol version %s', async (version) => {
    const git = await start();
    const pusher = await createGitClient(server.dir, 'key-push');
    const protocol = ['-c', `protocol.version=${version}`];
    const reader = await git.clone(address('main'), 'reader', ...protocol);
    const work = await pusher.clone(address('main'), 'work', ...protocol);

    const oid = await pusher.commit(work, '(chore): Say more', { 'MORE.md': 'more\n'.repeat(500) });
    await pusher.run(work, ...protocol, 'push', '-q', 'origin', 'main');
    await git.run(reader, ...protocol, 'pull', '-q');

    expect(await git.run(reader, 'rev-parse', 'HEAD')).toBe(oid);
  });

  it("pass on the client's wish for protocol v2, and forbid caching", async () => {
    await start();
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${address()}/info/refs?service=git-upload-pack`, { headers });

    const [plain, second] = [await ask({}), await ask({ 'Git-Protocol': 'version=2' })];

    expect(await plain.text()).toContain('symref=HEAD:refs/heads/beta');
    expect(await second.text()).toContain('version 2');
    expect(second.headers.get('cache-control')).toContain('no-cache');
    expect(second.headers.get('content-type')).toBe('application/x-git-upload-pack-advertisement');
  });

  it('accept bodies compressed by gzip', async () => {
    await start();
    const body = '0014command=ls-refs\n00010009peel\n0000';
    const ask = async (packed: BodyInit, headers: Record<string, string>): Promise<string> => {
      const answer = await fetch(`${address()}/git-upload-pack`, {
        method: 'POST',
        body: packed,
        headers: {
          'Content-Type': 'application/x-git-upload-pack-request',
          'Git-Protocol': 'version=2',
          ...headers,
        },
      });
      return answer.text();
    };

    const plain = await ask(body, {});

    expect(plain).toContain('refs/heads/main');
    expect(await ask(new Uint8Array(gzipSync(body)), { 'Content-Encoding': 'gzip' })).toBe(plain);
  });

  it('refuse a request that is too large before git sees it', async () => {
    await start();
    const body = '0'.repeat(9 * 1024 * 1024);

    const answer = await fetch(`${address()}/git-upload-pack`, { method: 'POST', body });

    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('at most 8388608 are accepted');
  });

  it('stop a small body that unpacks to a huge one, and continue to serve', async () => {
    const git = await start();
    const wants = `0032want ${'0'.repeat(40)}\n`.repeat(1_000_000);

    const answer = await fetch(`${address()}/git-upload-pack`, {
      method: 'POST',
      body: new Uint8Array(gzipSync(wants)),
      headers: { 'Content-Type': 'application/x-git-upload-pack-request', 'Content-Encoding': 'gzip' },
    });

    expect(answer.status).toBe(413);
    expect(await refs(git)).toContain('refs/heads/main');
  });

  it.each(['git-upload-pack', 'git-receive-pack'])(
    'report a body of %s that is not gzip',
    async (service) => {
      await start();
      const send = (body: Buffer): Promise<number> =>
        fetch(`${address()}/${service}`, {
          method: 'POST',
          body: new Uint8Array(body),
          headers: { 'X-NuGet-ApiKey': 'key-push', 'Content-Encoding': 'gzip' },
        }).then(({ status }) => status);

      expect(await send(Buffer.from('plain'))).toBe(400);
      expect(await send(gzipSync('0000').subarray(0, 12))).toBe(400);
    },
  );

  it('refuse a fetch whose lines would keep git busy', async () => {
    await start();
    const body = `0011command=fetch0001${'001edeepen-not refs/heads/beta'.repeat(101)}0000`;

    const answer = await fetch(`${address()}/git-upload-pack`, { method: 'POST', body });

    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('more than 100 lines of deepen-not');
  });

  it('say in plain text, which git shows, what is wrong with an address', async () => {
    const git = await start();

    const wrong = await git.try(server.dir, 'clone', `${server.url}/git/nightly/go-win-tools.git`);
    const page = await fetch(address(), { headers: { Accept: 'text/html' } });

    expect(wrong.stderr).toContain('remote: No such bucket. Use /git/main/go-win-tools.git');
    expect(page.status).toBe(404);
    expect(await page.text()).toContain(`scoop bucket add go-win-tools ${address()}`);
  });

  describe('keys', () => {
    it('are asked for by Basic when somebody pushes without', async () => {
      const git = await start();
      const work = await git.clone(address(), 'work');
      await git.commit(work, '(chore): Say more', { 'MORE.md': 'more\n' });
      const before = await refs(git);

      const push = await git.try(work, 'push', 'origin', 'beta');
      const asked = await fetch(`${address()}/info/refs?service=git-receive-pack`);
      const sent = await fetch(`${address()}/git-receive-pack`, { method: 'POST', body: '0000' });

      expect(push.code).not.toBe(0);
      expect([asked.status, sent.status]).toEqual([401, 401]);
      expect(asked.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(await refs(git)).toBe(before);
    });

    it.each([
      ['a wrong key as Bearer', { Authorization: 'Bearer wrong' }, 403],
      ['a wrong key as X-NuGet-ApiKey', { 'X-NuGet-ApiKey': 'wrong' }, 403],
      // git forgets a stored password on 401 only
      [
        'a wrong key as the password',
        { Authorization: `Basic ${Buffer.from('me:wrong').toString('base64')}` },
        401,
      ],
      ['a key that may only read', { Authorization: 'Bearer key-read' }, 403],
      ['a key for betas', { Authorization: 'Bearer key-beta' }, 200],
      ['a key for all', { Authorization: 'Bearer key-push' }, 200],
    ])('%s', async (_name, headers, status) => {
      await start();

      const answer = await fetch(`${address()}/info/refs?service=git-receive-pack`, { headers });

      expect(answer.status).toBe(status);
    });

    it('are refused with the reason, and never appear in the log', async () => {
      await start();
      const stranger = await createGitClient(server.dir, 'wrong');
      const pusher = await createGitClient(server.dir, 'key-push');
      const work = await pusher.clone(address(), 'work');
      await pusher.commit(work, '(chore): Say more', { 'MORE.md': 'more\n' });

      const refused = await stranger.try(work, 'push', 'origin', 'beta');
      await pusher.run(work, 'push', 'origin', 'beta');

      expect(refused.stderr).toContain('remote: The specified API key is invalid');
      const log = server.log.join('');
      expect(log).toContain('push accepted');
      expect(Object.keys(keys).filter((key) => log.includes(key))).toEqual([]);
    });

    it('work as the password in the address, as people type them', async () => {
      const git = await start();
      const work = await git.clone(withKey('key-push'), 'work');
      const oid = await git.commit(work, '(chore): Say more', { 'MORE.md': 'more\n' });

      await git.run(work, 'push', '-q', 'origin', 'beta');

      expect(await refs(git)).toContain(`${oid}\trefs/heads/beta`);
    });

    it('are needed for reading when READ_AUTH is all; Scoop gets manifests without', async () => {
      const git = await start({ readAuth: 'all' });

      const anonymous = await git.try(server.dir, 'clone', address(), 'anonymous');
      const asked = await fetch(`${address()}/info/refs?service=git-upload-pack`);
      await git.clone(withKey('key-read'), 'with-key');
      const manifest = await fetch(`${server.url}/m/buf.json`);

      expect(anonymous.code).not.toBe(0);
      expect(asked.status).toBe(401);
      expect(asked.headers.get('www-authenticate')).toMatch(/^Basic /);
      expect(manifest.status).toBe(404);
    });
  });

  it('accepts one of several pushes at once, and each of the others after a rebase', async () => {
    await start();
    const pusher = await createGitClient(server.dir, 'key-push');
    const tools = ['age', 'buf', 'delve', 'fzf', 'gum'];
    const works = await Promise.all(tools.map((tool) => pusher.clone(address(), tool)));
    const push = async (work: string, tool: string): Promise<string> => {
      const { code } = await pusher.try(work, 'push', '--atomic', 'origin', 'beta', `${tool}/v1.0.0-beta.1`);
      return code === 0 ? 'taken' : 'refused';
    };
    for (const [index, tool] of tools.entries()) {
      const files = { [`bucket/${tool}.json`]: server.manifest(tool, '1.0.0-beta.1') };
      await pusher.commit(works[index]!, `${tool}: Update to version 1.0.0-beta.1`, files);
      await pusher.run(works[index]!, 'tag', `${tool}/v1.0.0-beta.1`);
    }

    const outcomes = await Promise.all(tools.map((tool, index) => push(works[index]!, tool)));
    for (const [index, tool] of tools.entries()) {
      if (outcomes[index] === 'refused') {
        await pusher.run(works[index]!, 'pull', '-q', '--rebase');
        await pusher.run(works[index]!, 'tag', '--force', `${tool}/v1.0.0-beta.1`);
        expect(await push(works[index]!, tool)).toBe('taken');
      }
    }

    expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(1);
    const offered = await server.bucket.listManifests('beta');
    expect(offered.map(({ tool }) => tool)).toEqual(tools);
    expect((await refs(pusher)).match(/refs\/tags\//g)).toHaveLength(tools.length);
  });

  it('is unchanged when a pusher leaves in the middle of a pack', async () => {
    const git = await start();
    const before = await refs(git);
    const beta = before.match(/([0-9a-f]{40})\trefs\/heads\/beta/)![1];
    const command = `${beta} ${'1'.repeat(40)} refs/heads/beta\0 report-status side-band-64k`;
    const body = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000PACK\0\0\0\x02\0\0\0\x05`;
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      'POST /git/beta/go-win-tools.git/git-receive-pack HTTP/1.1\r\nHost: feed\r\nAuthorization: Bearer key-push\r\n' +
        `Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 100000\r\n\r\n${body}`,
    );
    await expect.poll(quarantines).not.toEqual([]);

    socket.destroy();

    await expect.poll(quarantines).toEqual([]);
    expect(await refs(git)).toBe(before);
    await pushSomething();
  });

  it('is unchanged when a pusher is killed while the rules are checked', async () => {
    let kill: (() => void) | undefined;
    const git = await start({
      onFind: async () => {
        kill?.();
      },
    });
    const pusher = await createGitClient(server.dir, 'key-push');
    const work = await pusher.clone(address(), 'killed');
    const files = { 'bucket/buf.json': server.manifest('buf', '1.0.0-beta.1') };
    await pusher.commit(work, 'buf: Update to version 1.0.0-beta.1', files);
    const before = await refs(git);
    const child = spawn('git', ['push', withKey('key-push'), 'beta'], {
      cwd: work,
      detached: process.platform !== 'win32',
    });
    const gone = once(child, 'close');
    kill = () => (process.platform === 'win32' ? child.kill() : process.kill(-child.pid!, 'SIGKILL'));
    await gone;
    kill = undefined;

    await expect.poll(quarantines).toEqual([]);
    const after = await refs(git);
    expect(await git.run(join(server.bucketDir, 'repo.git'), 'fsck', '--strict')).not.toContain('error');
    // Whether git was told before or after the rules agreed: all of the push counts, or nothing.
    expect(
      [
        before,
        before.replace(/[0-9a-f]{40}(?=\trefs\/heads\/beta)/g, await git.run(work, 'rev-parse', 'HEAD')),
      ].map(headless),
    ).toContain(headless(after));
    await pushSomething();
  });

  it('leaves slots to others, however many slow fetches come from one address', async () => {
    await start({ trustProxy: ['loopback'] });
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        'POST /git/main/go-win-tools.git/git-upload-pack HTTP/1.1\r\nHost: feed\r\nX-Forwarded-For: 203.0.113.1\r\n' +
          'Content-Type: application/x-git-upload-pack-request\r\nContent-Length: 1000\r\n\r\n0032want',
      );
      return socket;
    });
    const ask = async (from: string) => {
      const list = `${address()}/info/refs?service=git-upload-pack`;
      return (await fetch(list, { headers: { 'X-Forwarded-For': from } })).status;
    };
    // Behind those that wait already.
    await expect.poll(() => server.requestCount()).toBe(20);

    expect(await ask('198.51.100.7')).toBe(200);
    for (const socket of slow) socket.destroy();
    expect(await ask('203.0.113.1')).toBe(200);
  });

  it('gives no slot to fetches whose requests arrive slowly, from any number of addresses', async () => {
    await start({ trustProxy: ['loopback'] });
    const slow = Array.from({ length: 20 }, (_, n) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `POST /git/main/go-win-tools.git/git-upload-pack HTTP/1.1\r\nHost: feed\r\nX-Forwarded-For: 203.0.113.${n}\r\n` +
          'Content-Type: application/x-git-upload-pack-request\r\nContent-Length: 1000\r\n\r\n0032want',
      );
      return socket;
    });
    await expect.poll(() => server.requestCount()).toBe(20);

    const list = `${address()}/info/refs?service=git-upload-pack`;
    expect((await fetch(list, { headers: { 'X-Forwarded-For': '198.51.100.7' } })).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });

  it('stops while the request of a fetch arrives slowly', async () => {
    await start();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /git/main/go-win-tools.git/git-upload-pack HTTP/1.1\r\nHost: feed\r\nContent-Length: 1000\r\n\r\n0032want',
    );
    await expect.poll(() => server.requestCount()).toBe(1);

    await server.bucket.close();
    socket.destroy();
  });

  it('accepts no push with a key that expires while the rules are checked', async () => {
    const revoked = new Set<string>();
    const pusher = await start({ revoked, onFind: async () => void revoked.add('key-push') });
    const git = await createGitClient(server.dir, 'key-push');
    const work = await git.clone(address(), 'revoked');
    const files = { 'bucket/buf.json': server.manifest('buf', '1.0.0-beta.1') };
    await git.commit(work, 'buf: Update to version 1.0.0-beta.1', files);
    const before = await refs(pusher);

    const { code, stderr } = await git.try(work, 'push', 'origin', 'beta');

    expect([code, stderr]).toEqual([1, expect.stringContaining('The specified API key is invalid')]);
    expect(await refs(pusher)).toBe(before);
  });

  it.skipIf(process.platform === 'win32')('takes no push when the hook cannot run', async () => {
    await start();
    const pusher = await createGitClient(server.dir, 'key-push');
    const work = await pusher.clone(address(), 'work');
    await pusher.commit(work, '(chore): Say more', { 'MORE.md': 'more\n' });
    const before = await refs(pusher);
    await chmod(join(server.bucketDir, 'repo.git', 'hooks', 'pre-receive'), 0o644);

    const { code } = await pusher.try(work, 'push', 'origin', 'beta');

    expect(code).not.toBe(0);
    expect(await refs(pusher)).toBe(before);
    expect(server.log.join('')).toContain('PUSH_GATE_SHUT');
  });

  it.each([
    ['is missing', (file: string) => rm(file)],
    ['names a commit that is not there', (file: string) => writeFile(file, `${'1'.repeat(40)}\n`)],
  ])('never serves a branch that %s, which would clone as an empty bucket', async (_name, damage) => {
    const git = await start();
    await damage(join(server.bucketDir, 'repo.git', 'refs', 'heads', 'beta'));

    const { code, stderr } = await git.try(server.dir, 'clone', address(), 'damaged');

    expect(code).not.toBe(0);
    expect(stderr).toContain(
      'remote: The bucket cannot be served: its branch beta does not point to a commit.',
    );
    await expect(server.bucket.ping()).rejects.toMatchObject({ code: 'BUCKET_BROKEN', status: 503 });
  });

  it("reports its health like git's", async () => {
    await start();

    await expect(server.bucket.ping()).resolves.toBeUndefined();
  });

  it('reports that git is missing', async () => {
    await start();
    const deps = {
      dir: join(server.dir, 'other'),
      env: { PATH: join(server.dir, 'empty') },
      payloads: { find: async () => undefined },
      events: {
        record: async () => undefined,
        lastMove: async () => undefined,
        lock: async () => () => undefined,
      },
      publicUrl: () => server.url,
      reservedIds: [],
      approvals: [],
      log: { info: () => undefined } as never,
    };

    await expect(ensureBucket(deps)).rejects.toMatchObject({ code: 'GIT_MISSING' });
  });

  async function quarantines(): Promise<string[]> {
    const names = await readdir(join(server.bucketDir, 'repo.git', 'objects'));
    return names.filter((name) => name.startsWith('tmp_objdir'));
  }

  async function pushSomething(): Promise<void> {
    const pusher = await createGitClient(server.dir, 'key-push');
    const work = await pusher.clone(address(), 'afterwards');
    await pusher.commit(work, '(chore): Go on', { 'MORE.md': 'more\n' });
    await pusher.run(work, 'push', '-q', 'origin', 'beta');
  }
});

/** HEAD of the beta address is beta; compare branches only. */
function headless(refs: string): string {
  return refs
    .split('\n')
    .filter((line) => !line.endsWith('\tHEAD'))
    .join('\n');
}

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientFixture, grantOf, startClientFixture } from './client-fixture.ts';

describe('the bucket of one client', () => {
  let fixture: ClientFixture;
  beforeEach(async () => {
    fixture = await startClientFixture();
    await fixture.release('delve', '1.21.2');
  });
  afterEach(() => fixture.stop());

  const clone = (client: string, ...options: string[]): Promise<string> =>
    fixture.git.clone(fixture.address(client), `clone-${client}`, ...options);
  const pull = (folder: string): Promise<string> => fixture.git.run(folder, 'pull', '--quiet', '--ff-only');
  const head = (folder: string): Promise<string> => fixture.git.run(folder, 'rev-parse', 'HEAD');
  const offered = async (folder: string, tool = 'delve'): Promise<string> =>
    JSON.parse(await readFile(join(folder, 'bucket', `${tool}.json`), 'utf8')).version;
  const main = (): Promise<string> =>
    fixture.git.run(join(fixture.server.bucketDir, 'repo.git'), 'rev-parse', 'main');
  const admit = (client: string, version = '1.22.0'): void => {
    fixture.views.set(client, [grantOf('delve', version)]);
  };

  it.each(['0', '1', '2'])(
    'is main until it is admitted, then has the held manifest (protocol %s)',
    async (version) => {
      const text = await fixture.hold('delve', '1.22.0');
      const protocol = ['-c', `protocol.version=${version}`];
      const folder = await clone('pc-1', ...protocol);
      expect(await head(folder)).toBe(await main());

      admit('pc-1');
      await fixture.git.run(folder, ...protocol, 'pull', '--quiet', '--ff-only');

      // Checked out with CRLF, as on Windows.
      expect((await readFile(join(folder, 'bucket', 'delve.json'), 'utf8')).replaceAll('\r\n', '\n')).toBe(
        text,
      );
      expect(await fixture.git.run(folder, 'status', '--porcelain=v2', '--branch')).toContain(
        '# branch.ab +0 -0',
      );
      expect(await fixture.git.run(folder, 'log', '-1', '--format=%s')).toBe(
        'delve: Update to version 1.22.0',
      );
      expect(await fixture.git.run(folder, 'diff', '--name-only', await main(), 'HEAD')).toBe(
        'bucket/delve.json',
      );
      await fixture.git.run(folder, 'fsck', '--strict');
      expect(fixture.received).toContain('pc-1 1');
    },
  );

  it('shows one branch and its HEAD, no tag, no beta, and no other client', async () => {
    await fixture.hold('delve', '1.22.0');
    await fixture.decide({
      tool: 'delve',
      version: '1.21.3',
      text: fixture.server.manifest('delve', '1.21.3'),
      branches: ['main', 'beta'],
    });
    admit('pc-1');
    const refs = async (client: string): Promise<string[]> =>
      (await fixture.git.run(fixture.dir, 'ls-remote', '--symref', fixture.address(client))).split('\n');

    const [admitted, other] = [await refs('pc-1'), await refs('pc-2')];

    const at = await main();
    expect(other).toEqual(['ref: refs/heads/main\tHEAD', `${at}\tHEAD`, `${at}\trefs/heads/main`]);
    expect(admitted).toHaveLength(3);
    expect(admitted[2]).toMatch(/^[0-9a-f]{40}\trefs\/heads\/main$/);
    expect(admitted[2]).not.toBe(other[2]);
  });

  it('is one commit for all clients of a view, and costs nothing where nobody was ever admitted', async () => {
    await clone('pc-9');
    expect(await readdir(fixture.server.bucketDir)).not.toContain('clients');
    await fixture.hold('delve', '1.22.0');
    for (const client of ['pc-1', 'pc-2', 'pc-3']) admit(client);

    const heads = await Promise.all(
      ['pc-1', 'pc-2', 'pc-3'].map(async (client) => head(await clone(client))),
    );

    expect(new Set(heads).size).toBe(1);
    expect(fixture.db.prepare('SELECT count(*) AS n FROM client_links').get()).toEqual({ n: 1 });
    expect(await head(await clone('pc-4'))).toBe(await main());
  });

  it('goes forward over a rollback, releases of other tools and the end of its rollout', async () => {
    await fixture.hold('delve', '1.22.0');
    await fixture.hold('delve', '1.22.0.1');
    admit('pc-1');
    const folder = await clone('pc-1');
    await fixture.release('buf', '1.30.0');
    await pull(folder);
    expect([await offered(folder), await offered(folder, 'buf')]).toEqual(['1.22.0', '1.30.0']);

    const grants = [
      grantOf('delve', '1.22.0', { isListed: false }),
      grantOf('delve', '1.22.0.1', { is: 'correction' }),
    ];
    fixture.views.set('pc-1', grants);
    await pull(folder);
    expect(await offered(folder)).toBe('1.22.0.1');
    await fixture.release('delve', '1.23.0');
    await pull(folder);
    expect(await offered(folder)).toBe('1.23.0');
    fixture.views.set('pc-1', []);
    await pull(folder);

    expect(await fixture.git.run(folder, 'rev-parse', 'HEAD^{tree}')).toBe(
      await fixture.git.run(folder, 'rev-parse', `${await main()}^{tree}`),
    );
    expect(await fixture.git.run(folder, 'status', '--porcelain')).toBe('');
  });

  it('has the version from main once it is completed, without a step back', async () => {
    const text = await fixture.hold('delve', '1.22.0');
    admit('pc-1');
    const folder = await clone('pc-1');
    // The transition: out of the view, into what main is to get.
    fixture.views.set('pc-1', []);
    await fixture.decide({ tool: 'delve', version: '1.22.0', text, branches: ['main', 'beta'] });

    await pull(folder);

    expect(await offered(folder)).toBe('1.22.0');
    expect((await fixture.server.bucket.readManifest('main', 'delve'))?.version).toBe('1.22.0');
    expect((await fixture.server.bucket.readManifest('beta', 'delve'))?.version).toBe('1.22.0');
  });

  it.each([
    ['the store', 'clients'],
    ['the objects', 'clients/store.git/objects'],
    ['the ref', 'clients/store.git/refs'],
  ])('is made again from the rows where %s is lost', async (_what, lost) => {
    const text = await fixture.hold('delve', '1.22.0');
    admit('pc-1');
    const folder = await clone('pc-1');
    await fixture.release('buf', '1.30.0');
    await pull(folder);
    const before = await head(folder);
    await rm(join(fixture.server.bucketDir, lost), { recursive: true, force: true });
    await mkdir(join(fixture.server.bucketDir, lost), { recursive: true });
    await fixture.held.discard('delve', '1.22.0');
    await fixture.restart();
    await fixture.git.run(folder, 'remote', 'set-url', 'origin', fixture.address('pc-1'));
    await fixture.held.put({ tool: 'delve', version: '1.22.0', packageId: 'delve', text, message: 'again' });

    // A new clone gets the commit that was made again; an old one has it.
    fixture.views.set('pc-2', [grantOf('delve', '1.22.0')]);
    expect(await head(await clone('pc-2'))).toBe(before);
    await pull(folder);
    expect(await head(folder)).toBe(before);
  });

  it('has a completed version although git cannot write main, and goes on from there', async () => {
    const text = await fixture.hold('delve', '1.22.0');
    admit('pc-1');
    const [first, other] = [await clone('pc-1'), await clone('pc-2')];
    const before = await main();
    // what a killed git leaves behind
    const lock = join(fixture.server.bucketDir, 'repo.git', 'refs', 'heads', 'main.lock');
    await writeFile(lock, '');
    fixture.views.delete('pc-1');
    await fixture.decide({ tool: 'delve', version: '1.22.0', text, branches: ['main', 'beta'] });

    for (const folder of [first, other]) {
      await pull(folder);
      expect(await offered(folder)).toBe('1.22.0');
    }
    const manifest = await fetch(`${fixture.server.url}/m/c/pc-3/delve.json`);
    expect([manifest.status, await manifest.text()]).toEqual([200, text]);
    expect(await main()).toBe(before);

    await rm(lock);
    await fixture.server.bucket.finishCommits();
    expect(await main()).not.toBe(before);
    for (const folder of [first, other]) {
      await pull(folder);
      expect(await fixture.git.run(folder, 'diff', '--name-only', await main(), 'HEAD')).toBe('');
      expect(await fixture.git.run(folder, 'status', '--porcelain')).toBe('');
    }
  });

  it('is asked for again where it cannot be stored, and stays as it is for others', async () => {
    for (const version of ['1.22.0', '1.23.0']) await fixture.hold('delve', version);
    admit('pc-1');
    const folder = await clone('pc-1');
    // the next commit fails, as on a full disk
    const lock = join(fixture.server.bucketDir, 'clients', 'store.git', 'refs', 'heads', 'line.lock');
    await writeFile(lock, '');
    admit('pc-2', '1.23.0');

    const refused = await fetch(`${fixture.address('pc-2')}/info/refs?service=git-upload-pack`);

    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    await pull(folder);
    expect(await offered(folder)).toBe('1.22.0');
    expect(await offered(await clone('pc-3'))).toBe('1.21.2');
    await rm(lock);
    expect(await offered(await clone('pc-2'))).toBe('1.23.0');
  });

  it('is asked for again where the database is full', async () => {
    const manifest = JSON.parse(fixture.server.manifest('delve', '1.22.0')) as Record<string, unknown>;
    // does not fit into the pages that the database has
    const text = JSON.stringify({ ...manifest, '##': 'x'.repeat(100_000) });
    await fixture.held.put({ tool: 'delve', version: '1.22.0', packageId: 'delve', text, message: 'delve' });
    const folder = await clone('pc-1');
    admit('pc-1');
    fixture.db.prepare('PRAGMA max_page_count = 1').get();

    const refused = await fetch(`${fixture.address('pc-1')}/info/refs?service=git-upload-pack`);

    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    fixture.db.prepare('PRAGMA max_page_count = 4294967294').get();
    await pull(folder);
    expect(await offered(folder)).toBe('1.22.0');
  });

  it('begins anew where the bucket was restored from before what it is made on', async () => {
    const repo = join(fixture.server.bucketDir, 'repo.git');
    const text = await fixture.hold('delve', '1.22.0');
    admit('pc-1');
    const first = await head(await clone('pc-1'));
    await cp(repo, join(fixture.dir, 'before'), { recursive: true });
    await fixture.release('buf', '1.30.0');
    await fixture.git.run(fixture.dir, 'ls-remote', fixture.address('pc-1'));
    await rm(fixture.server.bucketDir, { recursive: true });
    await cp(join(fixture.dir, 'before'), repo, { recursive: true });

    await fixture.restart();

    admit('pc-2');
    const folder = await clone('pc-2');
    expect(await head(folder)).toBe(first);
    expect(await fixture.git.run(folder, 'cat-file', 'blob', 'HEAD:bucket/delve.json')).toBe(text.trim());
    await fixture.release('buf', '1.31.0');
    await pull(folder);
    expect([await offered(folder), await offered(folder, 'buf')]).toEqual(['1.22.0', '1.31.0']);
  });

  it('refuses a push, and says where to push', async () => {
    const folder = await fixture.publisher.clone(fixture.address('pc-1'), 'pusher');
    await fixture.publisher.commit(folder, '(chore): Say more', { 'MORE.md': 'more\n' });

    const { code, stderr } = await fixture.publisher.try(folder, 'push', 'origin', 'main');
    const post = await fetch(`${fixture.address('pc-1')}/git-receive-pack`, { method: 'POST', body: '0000' });

    expect(code).not.toBe(0);
    expect(stderr).toContain('remote: The bucket of one client cannot be pushed to.');
    expect(post.status).toBe(403);
  });

  it('is not to be had at other addresses, not even by the id of an object', async () => {
    const text = await fixture.hold('delve', '1.22.0');
    admit('pc-1');
    const folder = await clone('pc-1');
    const ids = [await head(folder), await fixture.git.run(folder, 'rev-parse', 'HEAD:bucket/delve.json')];
    const others = ['main', 'beta', 'c/pc-2'].map(
      (name) => `${fixture.server.url}/git/${name}/go-win-tools.git`,
    );

    for (const url of others) {
      for (const id of ids) {
        for (const version of ['0', '2']) {
          const wanted = await fixture.git.try(
            await freshFolder(),
            ...['-c', `protocol.version=${version}`, 'fetch', url, id],
          );
          expect([url, id, version, wanted.code === 0]).toEqual([url, id, version, false]);
        }
      }
      expect(await fixture.git.run(fixture.dir, 'ls-remote', url)).not.toContain(ids[0]);
    }
    expect((await fetch(`${fixture.server.url}/m/delve/1.22.0/delve.json`)).status).toBe(404);
    expect(text).toContain('1.22.0');
  });

  let folders = 0;
  async function freshFolder(): Promise<string> {
    folders += 1;
    const folder = join(fixture.dir, `fresh-${folders}`);
    await fixture.git.run(fixture.dir, 'init', '--quiet', folder);
    return folder;
  }

  describe('as single manifests', () => {
    const manifest = (client: string, tool = 'delve') =>
      fetch(`${fixture.server.url}/m/c/${client}/${tool}.json`);

    it('are what git shows, and count as received', async () => {
      const text = await fixture.hold('delve', '1.22.0');
      admit('pc-1');

      const [mine, other] = [await manifest('PC-1'), await manifest('pc-2')];

      expect(await mine.text()).toBe(text);
      expect(mine.headers.get('cache-control')).toBe('no-store');
      expect(JSON.parse(await other.text()).version).toBe('1.21.2');
      expect(fixture.received).toEqual(['pc-1 1']);
      expect((await manifest('pc-1', 'nothing')).status).toBe(404);
      expect((await manifest('pc%201')).status).toBe(404);
    });

    it.each(['feed', 'all'] as const)('need a key where READ_AUTH is %s', async (readAuth) => {
      await fixture.stop();
      fixture = await startClientFixture({ readAuth });
      await fixture.release('delve', '1.21.2');
      const url = `${fixture.server.url}/m/c/pc-1/delve.json`;

      const answers = [
        fetch(url),
        fetch(url, { headers: { 'X-NuGet-ApiKey': 'key-read' } }),
        fetch(`${fixture.server.url}/m/delve.json`),
        fetch(`${fixture.address('pc-1')}/info/refs?service=git-upload-pack`),
      ];

      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 200, 200, 401]);
    });

    it.each(['..%2f..', '%00', 'pc-1%2f..', 'a'.repeat(65), '-pc', 'p%C3%A9'])(
      'are at no id %s',
      async (id) => {
        const git = await fetch(
          `${fixture.server.url}/git/c/${id}/go-win-tools.git/info/refs?service=git-upload-pack`,
        );
        expect([(await manifest(id)).status, git.status]).toEqual([404, 404]);
      },
    );

    it('fail rather than go back where a promised manifest is missing', async () => {
      admit('pc-1');
      expect((await manifest('pc-1')).status).toBe(503);
      expect((await fixture.git.try(fixture.dir, 'ls-remote', fixture.address('pc-1'))).stderr).toContain(
        '503',
      );
    });
  });
});

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient } from '../../kit/git.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

type Entry = Record<string, unknown> & { number: number; kind: string };

describe('the audit log', () => {
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    server = await startTestServer({ trustProxy: ['loopback'] });
    key = await makeKey(server, ['push', 'unlist']);
  });
  afterAll(() => server.stop());

  async function audit(query = ''): Promise<{ entries: Entry[]; next: number | null; head: Entry }> {
    const answer = await ask('GET', `/api/v1/audit${query}`, server.adminKey);
    return (await answer.json()) as never;
  }
  function ask(
    method: string,
    path: string,
    withKey: string,
    body?: Buffer,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const headers = { 'X-NuGet-ApiKey': withKey, 'X-Forwarded-For': '203.0.113.7', ...more };
    return fetch(`${server.url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: Uint8Array.from(body) }),
    });
  }

  it('has the reason for a change, if one was given', async () => {
    const before = (await audit()).head.number;
    const because = (reason: string) => ({ 'X-Reason': reason });

    await ask('PUT', '/nuget', key, makeNupkg({ id: 'Why' }), because('cannot%20wait'));
    await ask('DELETE', '/nuget/why/1.0.0', key, undefined, because(encodeURIComponent('zerstört\n\0Daten')));
    await ask('POST', '/nuget/why/1.0.0', key, undefined, because('100% sure'));
    await ask('DELETE', '/nuget/why/1.0.0', key, undefined, because('x'.repeat(2000)));

    const { entries } = await audit(`?after=${before}`);
    expect(entries.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['package published', 'cannot wait'],
      ['package unlisted', 'zerstört Daten'],
      ['package listed again', '100% sure'],
      ['package unlisted', 'x'.repeat(500)],
    ]);
  });

  it('has every change: who, what, when, from where, and which bytes', async () => {
    const nupkg = makeNupkg({ id: 'Made', version: '1.0' });
    const exe = Buffer.from('an exe');
    const before = (await audit()).head.number;

    await ask('PUT', '/nuget', key, nupkg);
    await ask('DELETE', '/nuget/made/1.0.0', key);
    await ask('POST', '/nuget/package/made/1.0.0', key);
    await ask('PUT', '/dl/buf/1.32.0-beta.1/buf-windows-amd64.exe', key, exe);
    await makeKey(server, ['read'], ['buf', 'dl*']);

    const { entries } = await audit(`?after=${before}`);
    const who = {
      keyId: expect.stringMatching(/^[0-9a-f]{16}$/),
      keyName: 'push unlist',
      from: '203.0.113.7',
    };
    const made = { subject: 'Made', version: '1.0', digest: sha256(nupkg), ...who };
    const chain = { at: expect.stringMatching(/Z$/), previous: expect.any(String), hash: expect.any(String) };
    expect(entries).toEqual([
      { number: before + 1, kind: 'package published', ...made, ...chain },
      { number: before + 2, kind: 'package unlisted', ...made, ...chain },
      { number: before + 3, kind: 'package listed again', ...made, ...chain },
      {
        number: before + 4,
        kind: 'payload added',
        subject: 'buf',
        version: '1.32.0-beta.1',
        file: 'buf-windows-amd64.exe',
        digest: sha256(exe),
        ...who,
        ...chain,
      },
      {
        number: before + 5,
        kind: 'key created',
        subject: expect.stringMatching(/^[0-9a-f]{16}$/),
        detail: 'read, read, ids buf dl*',
        keyId: 'ADMIN_API_KEY',
        keyName: 'ADMIN_API_KEY',
        from: '127.0.0.1',
        ...chain,
      },
    ]);
    expect(entries.map(({ previous }) => previous).slice(1)).toEqual(
      entries.map(({ hash }) => hash).slice(0, -1),
    );
  });

  it('has no entries for requests that changed nothing', async () => {
    const nupkg = makeNupkg({ id: 'once' });
    const exe = Buffer.from('once');
    await ask('PUT', '/nuget', key, nupkg);
    await ask('DELETE', '/nuget/once/1.0.0', key);
    await ask('PUT', '/dl/once/1.0.0/once-windows-amd64.exe', key, exe);
    const before = (await audit()).head.number;

    const statuses = [
      await ask('PUT', '/nuget', key, nupkg),
      await ask('PUT', '/nuget', key, Buffer.from('no package')),
      await ask('DELETE', '/nuget/once/1.0.0', key),
      await ask('DELETE', '/nuget/never/1.0.0', key),
      await ask('PUT', '/dl/once/1.0.0/once-windows-amd64.exe', key, exe),
      await ask('PUT', '/dl/once/1.0.0/once-windows-amd64.exe', key, Buffer.from('other')),
      await ask('DELETE', '/api/v1/keys/nobody', server.adminKey),
    ].map(({ status }) => status);

    expect(statuses).toEqual([409, 400, 200, 404, 200, 409, 404]);
    expect((await audit()).head.number).toBe(before);
  });

  it('has the refs that a push moved, from which commit to which', async () => {
    const dir = await makeTempDir();
    const git = await createGitClient(dir, key);
    const work = await git.clone(`${server.url}/git/beta/go-win-tools.git`, 'work');
    const old = await git.run(work, 'rev-parse', 'HEAD');
    const next = await git.commit(work, '(chore): Say more', { 'MORE.md': 'more\n' });

    await git.run(work, 'push', '-q', 'origin', 'beta');
    await git.commit(work, 'no release and no chore', { 'MORE.md': 'even more\n' });
    const refused = await git.try(work, 'push', '-q', 'origin', 'beta');

    expect(refused.code).not.toBe(0);
    const { entries } = await audit('?id=refs/heads/beta');
    expect(entries).toMatchObject([
      { kind: 'bucket moved', subject: 'refs/heads/beta', digest: `${old}->${next}`, keyName: 'push unlist' },
    ]);
  });

  it('has moves in the bucket that could not be recorded at once, from the next start on', async () => {
    const first = await startTestServer({ dataDir: await makeTempDir() });
    const git = await createGitClient(await makeTempDir());
    const repository = join(first.dataDir, 'bucket', 'repo.git');
    const old = await git.run(repository, 'rev-parse', 'beta');
    const next = await git.run(
      repository,
      'commit-tree',
      '-p',
      old,
      '-m',
      '(chore): Behind its back',
      `${old}^{tree}`,
    );
    await first.stop();
    await git.run(repository, 'update-ref', 'refs/heads/beta', next);

    const entries: Entry[][] = [];
    for (const _start of [1, 2]) {
      const again = await startTestServer({ dataDir: first.dataDir });
      const answer = await fetch(`${again.url}/api/v1/audit`, {
        headers: { 'X-NuGet-ApiKey': again.adminKey },
      });
      entries.push(((await answer.json()) as { entries: Entry[] }).entries);
      await again.stop();
    }

    expect(entries[0]).toMatchObject([
      { subject: 'refs/heads/beta', digest: `${old}->${next}`, detail: 'found at start', keyName: 'unknown' },
    ]);
    expect(entries[1]).toEqual(entries[0]);
  });

  it('can be queried by id in any case, by date, and page by page', async () => {
    const all = (await audit()).entries;

    const byId = await audit('?id=MADE');
    const first = await audit('?limit=2');
    const second = await audit(`?limit=2&after=${first.next}`);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();

    expect(byId.entries.map(({ kind }) => kind)).toEqual([
      'package published',
      'package unlisted',
      'package listed again',
    ]);
    expect([...first.entries, ...second.entries]).toEqual(all.slice(0, 4));
    expect((await audit(`?since=${tomorrow}`)).entries).toEqual([]);
    expect(await audit(`?limit=1000`)).toMatchObject({ next: null, head: { number: all.length } });
  });

  it.each(['?limit=0', '?limit=2000', '?after=-1', '?since=never', '?other=1'])(
    'refuses the query %s',
    async (query) => {
      expect((await ask('GET', `/api/v1/audit${query}`, server.adminKey)).status).toBe(400);
    },
  );

  it('is for administrators', async () => {
    expect((await ask('GET', '/api/v1/audit', key)).status).toBe(403);
    expect((await fetch(`${server.url}/api/v1/audit`)).status).toBe(401);
    expect((await ask('GET', '/api/v1/downloads?id=made', key)).status).toBe(403);
  });

  it('keeps the order of changes that come at once', async () => {
    const before = (await audit()).head.number;

    await Promise.all(
      Array.from({ length: 12 }, (_one, n) =>
        pushNupkg(server, makeNupkg({ id: 'many', version: `1.${n}.0` }), key),
      ),
    );

    const { entries } = await audit(`?after=${before}`);
    expect(entries.map(({ number }) => number)).toEqual(
      Array.from({ length: 12 }, (_one, n) => before + 1 + n),
    );
    expect(new Set(entries.map(({ version }) => version)).size).toBe(12);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

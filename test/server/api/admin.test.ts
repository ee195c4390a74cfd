import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('admin routes', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ publicUrl: 'https://feed.example.org/tools' });
  });
  afterAll(() => server.stop());

  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${server.adminKey}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });

  it("tells everybody the server's addresses", async () => {
    const answer = await fetch(`${server.url}/api/v1/server`);

    expect(await answer.json()).toEqual({
      name: 'go-win-tools',
      version: '0.0.0-test',
      publicUrl: 'https://feed.example.org/tools',
      feedUrl: 'https://feed.example.org/tools/nuget',
      payloadUrl: 'https://feed.example.org/tools/dl',
      bucketUrls: {
        main: 'https://feed.example.org/tools/git/main/go-win-tools.git',
        beta: 'https://feed.example.org/tools/git/beta/go-win-tools.git',
      },
    });
  });

  it('makes a key that works at once, lists it without the key, and revokes it', async () => {
    const made = await call('POST', '/keys', { name: 'pipeline', scopes: ['push'], ids: ['made*'] });
    expect(made.status).toBe(201);
    const { id, key } = (await made.json()) as { id: string; key: string };
    expect((await pushNupkg(server, makeNupkg({ id: 'made' }), key)).status).toBe(201);

    const text = await (await call('GET', '/keys')).text();
    expect(text).not.toContain(key);
    expect(JSON.parse(text)).toContainEqual({
      id,
      name: 'pipeline',
      scopes: ['push'],
      ids: ['made*'],
      owner: null,
      clients: [],
      networks: [],
      publisher: null,
      created: expect.stringMatching(/^\d{4}-.*Z$/),
      rotated: null,
      lastUsed: expect.stringMatching(/^\d{4}-.*Z$/),
      expires: null,
      revoked: null,
      state: 'active',
    });
    expect(server.logged()).not.toContain(key);

    expect((await call('DELETE', `/keys/${id}`)).status).toBe(204);
    expect((await call('DELETE', `/keys/${id}`)).status).toBe(404);
    expect((await pushNupkg(server, makeNupkg({ id: 'made', version: '2.0.0' }), key)).status).toBe(403);
  });

  it("says what the request's own key may do, in general and with one package", async () => {
    const own = async (key: string, query = '') => {
      const answer = await fetch(`${server.url}/api/v1/key${query}`, { headers: { 'X-NuGet-ApiKey': key } });
      return answer.status === 200 ? await answer.json() : answer.status;
    };
    const key = await makeKey(server, ['push', 'unlist'], ['buf*']);

    expect(await own(key)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'push unlist',
      owner: null,
      scopes: ['push:beta', 'push', 'unlist'],
      ids: ['buf*'],
      clients: [],
      networks: [],
      expires: null,
    });
    expect(await own(key, '?id=Buf')).toMatchObject({ scopes: ['push:beta', 'push', 'unlist'] });
    expect(await own(key, '?id=delve')).toMatchObject({ scopes: [] });
    expect(await own(server.adminKey, '?id=delve')).toMatchObject({
      scopes: ['read', 'push:beta', 'push', 'unlist', 'rollout', 'approve', 'alert', 'admin'],
    });
    expect(await own('no-key-of-this-server')).toBe(403);
    expect((await fetch(`${server.url}/api/v1/key`)).status).toBe(401);
    expect(await own(key, '?what=else')).toBe(400);
  });

  it('creates a key with every limit, and shows them to its holder', async () => {
    const limits = { clients: ['pc-*'], networks: ['127.0.0.0/8', '::1'], owner: 'Ann' };
    const wanted = { name: 'limited', scopes: ['rollout', 'approve', 'alert'], ...limits };
    const made = await call('POST', '/keys', { ...wanted, expires: '90d' });
    expect(made.status).toBe(201);
    const { key } = (await made.json()) as { key: string };

    const own = await call('GET', '/key', undefined, { Authorization: `Bearer ${key}` });
    const { expires, ...rest } = (await own.json()) as { expires: string };

    expect(rest).toMatchObject(wanted);
    expect(Math.round((Date.parse(expires) - Date.now()) / 86_400_000)).toBe(90);
  });

  it('says who released something only to keys for that tool', async () => {
    const limited = await makeKey(server, ['push'], ['buf', 'buf-cli']);
    const ask = async (path: string) =>
      (await fetch(`${server.url}/api/v1/releases/${path}`, { headers: { 'X-NuGet-ApiKey': limited } }))
        .status;

    expect(await ask('buf/1.0.0')).toBe(200);
    expect(await ask('buf-cli/1.0.0?tool=buf')).toBe(200);
    expect(await ask('delve/1.0.0')).toBe(403);
    expect(await ask('buf/1.0.0?tool=delve')).toBe(403);
    // What would be the moves of a branch, with everybody's keys.
    expect(await ask(`buf/1.0.0?tool=${encodeURIComponent('refs/heads/main')}`)).toBe(400);
  });

  it.each(['a\nb', 'a\u001b[31mb', 'a\u009b31mb', 'a\u2028b', 'a\u202eb'])(
    'makes no key with the name %j',
    async (name) => {
      const answer = await call('POST', '/keys', { name, scopes: ['read'] });

      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: 'BODY_INVALID' });
    },
  );

  it('creates no key that would already be expired', async () => {
    for (const expires of ['2020-01-01T00:00:00Z', '0d']) {
      const answer = await call('POST', '/keys', { name: 'x', scopes: ['push'], expires });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        code: 'KEY_UNUSABLE',
        title: expect.stringContaining('is not in the future'),
      });
    }
  });

  it('rotates a key, with a body and without', async () => {
    const made = await call('POST', '/keys', { name: 'turning', scopes: ['push'], ids: ['turned'] });
    const { id, key: first } = (await made.json()) as { id: string; key: string };
    const rotate = async (body?: unknown): Promise<string> => {
      const answer = await call('POST', `/keys/${id}/rotate`, body);
      expect(answer.status).toBe(200);
      const rotated = (await answer.json()) as { id: string; key: string };
      expect(rotated.id).toBe(id);
      return rotated.key;
    };
    const push = async (version: string, key: string): Promise<number> =>
      (await pushNupkg(server, makeNupkg({ id: 'turned', version }), key)).status;

    const second = await rotate();
    const third = await rotate({ overlap: '1h', expires: '30d' });

    expect(await push('1.0.0', first)).toBe(403);
    expect(await push('1.0.0', second)).toBe(201);
    expect(await push('2.0.0', third)).toBe(201);
    expect((await pushNupkg(server, makeNupkg({ id: 'other' }), third)).status).toBe(403);
    for (const key of [first, second, third]) expect(server.logged()).not.toContain(key);
    for (const body of [{ overlap: 'soon' }, { expires: 5 }, { what: 'else' }, []]) {
      expect((await call('POST', `/keys/${id}/rotate`, body)).status).toBe(400);
    }
    await call('DELETE', `/keys/${id}`);
    expect((await call('POST', `/keys/${id}/rotate`)).status).toBe(404);
  });

  it('takes no body of more than 64 KiB', async () => {
    const answer = await call('POST', '/keys', { name: 'x'.repeat(70_000), scopes: ['push'] });

    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({
      code: 'BODY_TOO_LARGE',
      title:
        'The request body is too large for this address: at most 65536 bytes are accepted; nothing was done.',
    });
    expect(await (await call('GET', '/keys')).text()).not.toContain('xxx');
  });

  it.each([
    ['no name', { scopes: ['push'] }, 'name'],
    ['a name of two lines', { name: 'x\ny', scopes: ['push'] }, 'name: expected one line'],
    ['no scopes', { name: 'x', scopes: [] }, 'scopes'],
    ['an unknown scope', { name: 'x', scopes: ['everything'] }, 'scopes.0: expected one of read, push:beta'],
    ['an odd glob', { name: 'x', scopes: ['push'], ids: ['a b'] }, 'ids'],
    ['a field too many', { name: 'x', scopes: ['push'], until: '90d' }, 'until'],
    [
      'an end that is no time',
      { name: 'x', scopes: ['push'], expires: 'never' },
      'expires: expected a time such as',
    ],
    [
      'no network',
      { name: 'x', scopes: ['push'], networks: ['10.0.0.0/33'] },
      'networks.0: expected networks',
    ],
    ['an odd client', { name: 'x', scopes: ['push'], clients: ['a b'] }, 'clients.0: expected a client id'],
    ['an empty owner', { name: 'x', scopes: ['push'], owner: ' ' }, 'owner: the owner is empty'],
    ['no JSON', '{', 'JSON'],
  ])('refuses a body with %s', async (_name, body, hint) => {
    const answer = await call('POST', '/keys', body);

    expect(answer.status).toBe(400);
    expect(answer.statusText).toContain(hint);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await answer.json()).toMatchObject({
      code: 'BODY_INVALID',
      status: 400,
      title: expect.stringContaining(hint),
      requestId: answer.headers.get('x-request-id'),
    });
  });

  it('accepts no type of body that a form on a foreign page could send', async () => {
    const body = JSON.stringify({ name: 'x', scopes: ['admin'] });

    const answer = await call('POST', '/keys', body, { 'Content-Type': 'text/plain' });

    expect(answer.status).toBe(400);
  });

  it('records an import in the audit log, with who it was', async () => {
    const noted = await call('POST', '/imports', { source: 'https://old.example.org/nuget', versions: 3 });
    const empty = await call('POST', '/imports', { source: 'a\nb', versions: 0 });

    expect([noted.status, empty.status]).toEqual([204, 400]);
    const audit = (await (await call('GET', '/audit')).json()) as { entries: unknown[] };
    expect(audit.entries.at(-1)).toMatchObject({
      kind: 'packages imported',
      subject: 'https://old.example.org/nuget',
      detail: '3 versions',
      keyName: expect.stringMatching(/./),
      from: '127.0.0.1',
    });
  });

  it('is for admin keys without ids only', async () => {
    const limited = await makeKey(server, ['admin'], ['made*']);
    const pusher = await makeKey(server, ['push', 'read', 'unlist']);

    for (const key of [limited, pusher]) {
      expect((await call('GET', '/keys', undefined, { Authorization: `Bearer ${key}` })).status).toBe(403);
      expect((await call('POST', '/keys', {}, { Authorization: `Bearer ${key}` })).status).toBe(403);
      expect(
        (await call('POST', '/keys/x/rotate', undefined, { Authorization: `Bearer ${key}` })).status,
      ).toBe(403);
      expect((await call('DELETE', '/keys/x', undefined, { Authorization: `Bearer ${key}` })).status).toBe(
        403,
      );
    }
    expect((await fetch(`${server.url}/api/v1/keys`)).status).toBe(401);
  });

  it('answers unknown addresses and methods in JSON', async () => {
    expect(await (await call('GET', '/none')).json()).toMatchObject({ code: 'ROUTE_UNKNOWN', status: 404 });
    expect(await (await call('PATCH', '/keys')).json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });
});

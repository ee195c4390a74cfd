import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { openSocket } from '../../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('a key with push:beta', () => {
  let server: TestServer;
  let beta: string;
  beforeAll(async () => {
    server = await startTestServer();
    beta = await makeKey(server, ['push:beta']);
    await pushNupkg(server, makeNupkg({ id: 'there', version: '1.0.0' }), server.adminKey);
    await pushNupkg(server, makeNupkg({ id: 'there', version: '1.0.0-beta.1' }), server.adminKey);
  });
  afterAll(() => server.stop());

  const send = (method: string, path: string, body?: BodyInit): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method,
      headers: { 'X-NuGet-ApiKey': beta },
      ...(body === undefined ? {} : { body }),
    });

  const bases = ['/nuget', '/nuget/', '/nuget/package', '/api/v2/', '/api/v2/package/', '/v3/publish'];
  const stable = [
    ...['2.0.0', '2.0', '2', '2.0.0.0', '2.0.0.1', '02.0.0', ' 2.0.0 ', '2.0.0+beta.1', '2.0.0+x-beta.1'],
    ...['2.0.0+-beta', '2.0.0 + beta'],
  ];
  it.each(bases)('publishes no stable version at %s, however it is spelled', async (base) => {
    for (const version of stable) {
      const nupkg = makeNupkg({ id: 'Delve', version });
      const statuses = [
        (await pushNupkg(server, nupkg, beta, base)).status,
        (await send('PUT', base, Uint8Array.from(nupkg))).status,
      ];
      // 400 where the spelling is no version at all.
      for (const status of statuses) expect([400, 403], version).toContain(status);
    }
    expect((await send('GET', '/nuget/FindPackagesById()/$count?id=%27delve%27')).status).toBe(200);
    expect(await (await send('GET', '/nuget/FindPackagesById()/$count?id=%27delve%27')).text()).toBe('0');
  });

  it.each(bases)('publishes prereleases at %s', async (base) => {
    const version = `3.0.0-beta.${bases.indexOf(base) + 1}`;

    expect((await pushNupkg(server, makeNupkg({ id: 'Delve', version }), beta, base)).status).toBe(201);
  });

  it.each([
    ['DELETE', '/nuget/there/1.0.0-beta.1'],
    ['DELETE', '/nuget/package/there/1.0.0'],
    ['DELETE', '/api/v2/package/there/1.0.0-beta.1'],
    ['DELETE', '/v3/publish/there/1.0.0'],
    ['POST', '/nuget/package/there/1.0.0'],
    ['POST', '/api/v2/package/there/1.0.0-beta.1'],
    ['POST', '/v3/publish/there/1.0.0'],
  ])('can hide and show nothing with %s %s', async (method, path) => {
    const answer = await send(method, path);

    expect(answer.status).toBe(403);
    expect(answer.statusText).toContain('the scope unlist');
  });

  it.each([
    '1.0.0',
    '1.0',
    '1.0.0.1',
    '01.0.0',
    '%31.0.0',
    '1.0.0+b',
    '1.0.0%2Bx-beta',
    '1.0.0%20',
    '1.0.0-',
  ])('stores no payload of the stable version %s', async (version) => {
    const path = `/dl/buf/${version}/buf-windows-amd64.exe`;
    const answer = await send('PUT', path, 'exe');

    expect([400, 403]).toContain(answer.status);
    expect((await fetch(`${server.url}${path}`)).status).toBe(404);
  });

  it('stores payloads of prereleases', async () => {
    expect((await send('PUT', '/dl/buf/1.0.0-beta.1/buf-windows-amd64.exe', 'exe')).status).toBe(201);
  });

  it.each(['/api/v1/keys', '/api/v1/audit', '/api/v1/downloads?id=there'])(
    'administers nothing at %s',
    async (path) => {
      expect((await send('GET', path)).status).toBe(403);
    },
  );
});

describe('a wrong key', () => {
  it('delays nobody with a valid one at the same address, and is never locked out itself', async () => {
    const server = await startTestServer({ readAuth: 'all' });
    const good = await makeKey(server, ['read']);
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}/nuget/Packages`, { headers })).status;
    const basic = (user: string, password: string): Record<string, string> => ({
      Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    });

    const wrong = await Promise.all(Array.from({ length: 45 }, (_, n) => ask(basic('bank', `guess ${n}`))));
    const order: string[] = [];
    const held = ask(basic('bank', 'wrong')).then((status) => order.push(`wrong ${status}`));
    for (const headers of [basic('bank', good), { 'X-NuGet-ApiKey': good }, basic('other', good)]) {
      order.push(`right ${await ask(headers)}`);
    }
    await held;

    expect(new Set(wrong)).toEqual(new Set([401]));
    // A held-back refusal takes two seconds by now; the right ones went by.
    expect(order).toEqual(['right 200', 'right 200', 'right 200', 'wrong 401']);
    await server.stop();
  });

  it('is not a guess when it is repeated: only guessing is slowed down', async () => {
    const server = await startTestServer();
    const ask = async (user: string, password: string): Promise<number> =>
      (
        await fetch(`${server.url}/api/v1/keys`, {
          headers: { Authorization: `Basic ${btoa(`${user}:${password}`)}` },
        })
      ).status;
    await Promise.all(Array.from({ length: 40 }, () => ask('bank', 'an old key')));
    await Promise.all(Array.from({ length: 40 }, (_, n) => ask('thief', `guess ${n}`)));

    const order: string[] = [];
    const held = ask('thief', 'another guess').then((status) => order.push(`guess ${status}`));
    order.push(`old ${await ask('bank', 'an old key')}`);
    await held;

    expect(order).toEqual(['old 401', 'guess 401']);
    await server.stop();
  });

  it.each([
    ['a wrong X-NuGet-ApiKey beside a good password', { 'X-NuGet-ApiKey': 'az' }, 'Basic'],
    ['a wrong X-NuGet-ApiKey beside a good token', { 'X-NuGet-ApiKey': 'az' }, 'Bearer'],
    [
      'a good X-NuGet-ApiKey that may only read beside one that may push',
      { 'X-NuGet-ApiKey': 'reader' },
      'Basic',
    ],
  ])('does not override a valid one: %s', async (_name, { 'X-NuGet-ApiKey': shown }, scheme) => {
    const server = await startTestServer({ readAuth: 'feed' });
    const pusher = await makeKey(server, ['push']);
    const key = shown === 'reader' ? await makeKey(server, ['read']) : shown;
    const Authorization = scheme === 'Basic' ? `Basic ${btoa(`somebody:${pusher}`)}` : `Bearer ${pusher}`;

    const answer = await fetch(`${server.url}/nuget/`, {
      method: 'PUT',
      headers: { 'X-NuGet-ApiKey': key, Authorization, 'Content-Type': 'application/octet-stream' },
      body: new Uint8Array(makeNupkg({ id: 'pushed' })),
    });

    expect(answer.status).toBe(201);
    await server.stop();
  });

  it('alone on a push is 403, and says to leave it out beside saved credentials', async () => {
    const server = await startTestServer();

    const answer = await pushNupkg(server, makeNupkg({ id: 'pushed' }), 'az');

    expect([answer.status, answer.statusText]).toEqual([
      403,
      'The specified API key is invalid: it is unknown to this server. Leave the key out to push with saved credentials.',
    ]);
    await server.stop();
  });

  it.each(['/nuget/', '/api/v2/package', '/v3/publish/', '/dl/buf/1.0.0/buf-windows-amd64.exe'])(
    'that may only read gets an error that names the scope push when it pushes a stable version to %s',
    async (path) => {
      const server = await startTestServer();

      const answer = await pushNupkg(server, makeNupkg({ id: 'buf' }), await makeKey(server, ['read']), path);

      expect([answer.status, answer.statusText]).toEqual([
        403,
        expect.stringMatching(/does not have the scope push for /),
      ]);
      await server.stop();
    },
  );

  it.each(['Basic Og==', 'Basic', `Basic ${btoa('somebody:')}`])(
    'is ignored when it is empty: %s',
    async (shown) => {
      const server = await startTestServer({ readAuth: 'feed' });
      const ask = (headers: Record<string, string>) => fetch(`${server.url}/nuget/Packages`, { headers });

      const answer = await ask({ Authorization: shown });

      const bare = await ask({});
      expect([answer.status, answer.statusText]).toEqual([bare.status, bare.statusText]);
      expect(await answer.text()).toBe(await bare.text());
      await server.stop();
    },
  );
});

describe('a key for reading', () => {
  it.each([
    [['read'], 200],
    [['admin'], 200],
    [['push'], 403],
    [['push:beta'], 403],
    [['unlist'], 403],
    [['push', 'read'], 200],
  ])('is one of those with the scope read: %j -> %d', async (scopes, status) => {
    const server = await startTestServer({ readAuth: 'feed' });
    const key = await makeKey(server, scopes);

    const answer = await fetch(`${server.url}/nuget/Packages`, { headers: { 'X-NuGet-ApiKey': key } });

    expect(answer.status).toBe(status);
    await server.stop();
  });
});

describe('a refused key', () => {
  let server: TestServer;
  const made = new Map<string, string>();
  beforeAll(async () => {
    let now = new Date();
    server = await startTestServer({ trustProxy: ['loopback'], server: { now: () => now } });
    for (const [name, terms] of Object.entries({
      revoked: {},
      rotated: {},
      expired: { expires: '1h' },
      network: { networks: ['10.0.0.0/8', '2001:db8::/32'] },
    })) {
      const answer = await administer('POST', '', { name, scopes: ['read'], ...terms });
      const { id, key } = (await answer.json()) as { id: string; key: string };
      made.set(name, key);
      if (name === 'revoked') await administer('DELETE', `/${id}`);
      if (name === 'rotated') await administer('POST', `/${id}/rotate`);
    }
    now = new Date(now.getTime() + 3_600_000);
  });
  afterAll(() => server.stop());

  const administer = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${server.url}/api/v1/keys${path}`, {
      method,
      headers: { 'X-NuGet-ApiKey': server.adminKey, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const ask = async (headers: Record<string, string>, from = '192.0.2.1') => {
    const answer = await fetch(`${server.url}/api/v1/key`, {
      headers: { 'X-Forwarded-For': from, ...headers },
    });
    const { code = '' } = (await answer.json()) as { code?: string };
    return [answer.status, code, answer.statusText] as const;
  };
  const basic = (password: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}`,
  });

  it.each([
    ['revoked', 'REVOKED', 401, /^The specified API key \(revoked\) was revoked at \d{4}-/],
    [
      'rotated',
      'ROTATED',
      401,
      /^The specified API key \(rotated\) was replaced at \d{4}-.* use the new one/,
    ],
    ['expired', 'EXPIRED', 401, /^The specified API key \(expired\) expired at \d{4}-/],
    ['network', 'NETWORK', 403, /may not be used from 192\.0\.2\.1: it is limited to other networks/],
  ])('is reported to its holder as %s', async (name, code, statusOfBasic, sentence) => {
    const key = made.get(name) ?? '';

    for (const headers of [{ 'X-NuGet-ApiKey': key }, { Authorization: `Bearer ${key}` }]) {
      expect(await ask(headers)).toEqual([403, `KEY_${code}`, expect.stringMatching(sentence)]);
    }
    const word = statusOfBasic === 401 ? 'PASSWORD' : 'KEY';
    expect(await ask(basic(key))).toEqual([
      statusOfBasic,
      `${word}_${code}`,
      expect.stringMatching(sentence),
    ]);
    expect(server.logged()).not.toContain(key);
  });

  it('is unknown to everybody else: only the whole secret reveals the reason', async () => {
    for (const key of made.values()) {
      for (const close of [
        key.slice(0, -1),
        `${key}A`,
        key.toLowerCase(),
        key.toUpperCase(),
        `${key},${key}`,
      ]) {
        expect(await ask({ 'X-NuGet-ApiKey': close })).toEqual([
          403,
          'KEY_INVALID',
          expect.stringContaining(
            'The specified API key is invalid: it is unknown to this server. Ask the administrator',
          ),
        ]);
      }
    }
  });

  it.each(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::7', '1.1.1.1, 10.1.2.3'])(
    'is accepted in its own network, at %s',
    async (from) => {
      expect((await ask({ 'X-NuGet-ApiKey': made.get('network') ?? '' }, from))[0]).toBe(200);
    },
  );

  it.each(['10.1.2.3, 192.0.2.1', '192.0.2.1', '10.1.2.3.4', 'unknown', '::ffff:11.1.2.3', '2001:db9::7'])(
    'is refused elsewhere, at %s',
    async (from) => {
      expect((await ask({ 'X-NuGet-ApiKey': made.get('network') ?? '' }, from))[1]).toBe('KEY_NETWORK');
    },
  );

  it('is named in the log, so that its owner can be informed', async () => {
    await ask({ 'X-NuGet-ApiKey': made.get('expired') ?? '' });

    await expect.poll(() => server.logged()).toMatch(/"status":403,[^\n]*"keyName":"expired"/);
  });

  it('beside a valid one does not matter', async () => {
    const good = await makeKey(server, ['read']);

    for (const headers of [
      { 'X-NuGet-ApiKey': made.get('revoked') ?? '', ...basic(good) },
      { 'X-NuGet-ApiKey': 'unknown', Authorization: `Bearer ${good}` },
      { 'X-NuGet-ApiKey': good, ...basic('wrong') },
      { 'X-NuGet-ApiKey': good, ...basic('') },
      { 'X-NuGet-ApiKey': '', ...basic(good) },
    ]) {
      expect((await ask(headers))[0]).toBe(200);
    }
    expect((await ask({ 'X-NuGet-ApiKey': 'unknown', ...basic(made.get('expired') ?? '') }))[1]).toBe(
      'PASSWORD_EXPIRED',
    );
  });
});

describe('a key over plain http from another machine', () => {
  it('is reported in the log, once, but neither from this machine nor through TLS', async () => {
    const server = await startTestServer({ trustProxy: ['loopback'], readAuth: 'feed' });
    const [feed, api] = [await makeKey(server, ['read']), await makeKey(server, ['admin'])];
    const ask = async (path: string, key: string, headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}${path}`, { headers: { 'X-NuGet-ApiKey': key, ...headers } })).status;
    const warnings = (): string[] =>
      server
        .logged()
        .split('\n')
        .filter((line) => line.includes('a key came over plain http'));

    for (const headers of [{}, { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' }]) {
      expect(await ask('/nuget/Packages', feed, headers)).toBe(200);
      expect(await ask('/api/v1/keys', api, headers)).toBe(200);
    }
    expect(await ask('/api/v1/keys', 'wrong', { 'X-Forwarded-For': '192.0.2.1' })).toBe(403);
    expect(warnings()).toEqual([]);
    for (let n = 0; n < 2; n += 1) {
      expect(await ask('/nuget/Packages', feed, { 'X-Forwarded-For': '192.0.2.1' })).toBe(200);
      expect(await ask('/api/v1/keys', api, { 'X-Forwarded-For': '192.0.2.2' })).toBe(200);
    }
    expect(warnings().map((line) => JSON.parse(line))).toMatchObject([
      { level: expect.anything(), keyName: 'read', from: '192.0.2.1' },
      { keyName: 'admin', from: '192.0.2.2' },
    ]);
    await server.stop();
  });
});

describe('a key that becomes invalid during an upload', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  const other = makeNupkg({ id: 'held', version: '1.0.0' });
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const order = { id: 'held', version: '1.0.0', reason: 'none', force: true };
  it.each([
    ['publishes no package', 'PUT', '/nuget', other],
    ['publishes no payload', 'PUT', '/dl/held/1.0.0/held-windows-amd64.exe', Buffer.from('MZ')],
    ['makes no key', 'POST', '/api/v1/keys', json({ name: 'late', scopes: ['admin'] })],
    ['rotates no key', 'POST', '/api/v1/keys/1/rotate', json({})],
    ['sets no ring', 'POST', '/api/v1/rings', json({ name: 'late', globs: ['*'] })],
    ['starts no rollout', 'POST', '/api/v1/rollouts', json({ tool: 'held', version: '1.0.0' })],
    ['halts no rollout', 'POST', '/api/v1/rollouts/1/halt', json({ reason: 'none' })],
    ['raises no alert', 'POST', '/api/v1/alerts', json({ alerts: [] })],
    ['holds no manifest', 'PUT', '/api/v1/held/held/1.0.0', json({})],
    ['records no import', 'POST', '/api/v1/imports', json({ source: 'late', versions: [] })],
    ['purges nothing', 'POST', '/api/v1/purges', json(order)],
  ])('%s', async (_what, method, path, body) => {
    const key = await makeKey(server, ['push', 'admin', 'rollout', 'alert']);
    const asked = await fetch(`${server.url}/api/v1/key`, { headers: { 'X-NuGet-ApiKey': key } });
    const { id } = (await asked.json()) as { id: string };
    const socket = openSocket(server.url);
    const answer = text(socket);
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: FEED\r\nConnection: close\r\nX-NuGet-ApiKey: ${key}\r\nContent-Type: application/${path.startsWith('/api') ? 'json' : 'octet-stream'}\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.write(body.subarray(0, 1));

    const revoked = await fetch(`${server.url}/api/v1/keys/${id}`, {
      method: 'DELETE',
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    expect(revoked.status).toBe(204);
    socket.write(body.subarray(1));

    expect(await answer).toMatch(/HTTP\/1\.1 403 .* was revoked/);
    expect((await fetch(`${server.url}/nuget/package/held/1.0.0`)).status).toBe(404);
    expect((await fetch(`${server.url}/dl/held/1.0.0/held-windows-amd64.exe`)).status).toBe(404);
  });
});

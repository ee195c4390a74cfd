import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { type OtlpReceiver, secretHeader, startOtlpReceiver, tracingTo } from '../../kit/otlp-receiver.ts';
import { makeKey, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('the trace of a request', () => {
  let collector: OtlpReceiver;
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    collector = await startOtlpReceiver();
    server = await startTestServer({ tracing: tracingTo(collector.url) });
    key = await makeKey(server, ['push']);
  });
  afterAll(async () => {
    await server.stop();
    await collector.stop();
  });
  beforeEach(() => void collector.spans.splice(0));

  const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> => {
    const answer = await fetch(`${server.url}${path}`, { headers });
    await answer.arrayBuffer();
    return answer;
  };
  const arrived = (name: string) =>
    expect.poll(() => collector.spans.find((span) => span.name === name), { timeout: 20_000 });
  const childrenOf = (name: string) => {
    const root = collector.spans.find((span) => span.name === name);
    return collector.spans.filter((span) => span.traceId === root?.traceId && span !== root);
  };

  it('shows where the time of a push goes', async () => {
    expect((await pushNupkg(server, makeNupkg({ id: 'Traced', version: '1.0.0' }), key)).status).toBe(201);

    await arrived('PUT feed').toMatchObject({
      kind: 2,
      parentSpanId: '',
      status: 0,
      attributes: {
        'http.request.method': 'PUT',
        'http.response.status_code': 201,
        'http.request.body.size': expect.any(Number),
        'gwt.area': 'feed',
        'gwt.key.name': 'push',
        'gwt.package.id': 'Traced',
        'gwt.package.version': '1.0.0',
      },
    });
    const names = childrenOf('PUT feed').map(({ name }) => name);
    expect(new Set(names)).toEqual(
      new Set([
        'read body',
        'blob receive',
        'package open',
        'package inspect',
        'blob commit',
        'database transaction',
      ]),
    );
    const root = collector.spans.find(({ name }) => name === 'PUT feed');
    for (const child of childrenOf('PUT feed')) {
      expect(child.parentSpanId).toBe(root?.spanId);
      expect(child.ms).toBeLessThanOrEqual(root?.ms ?? 0);
    }
  });

  it('keeps a failed query with its code, and not an ordinary refusal', async () => {
    await get('/nuget/package/none/1.0.0');
    const failed = await get("/nuget/Packages()?$filter=Nothing%20eq%20'value-of-a-filter'");
    expect(failed.status).toBe(400);

    await arrived('GET feed').toMatchObject({
      attributes: { 'http.response.status_code': 400, 'error.type': 'QUERY_INVALID' },
    });
    expect(collector.spans.filter(({ name }) => name === 'GET package')).toEqual([]);
    expect(collector.bytes().includes('value-of-a-filter')).toBe(false);
  });

  it('has the id of its request, in the log line too', async () => {
    const { headers } = await pushNupkg(server, Buffer.from('no package'), key);
    const id = headers.get('x-request-id') ?? '';

    await arrived('PUT feed').toMatchObject({ traceId: id.replaceAll('-', '') });
    const line = server
      .logged()
      .split('\n')
      .find((one) => one.includes(id) && one.includes('"msg":"request"'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ traceId: id.replaceAll('-', '') });
    expect(server.logged()).not.toMatch(/"method":"GET".*"status":404.*traceId/);
  });

  it('joins the trace of a publisher, and an administrator learns whether it has arrived', async () => {
    await get('/api/v1/key', { 'X-NuGet-ApiKey': key, traceparent });

    await arrived('GET api').toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
    const asked = () =>
      fetch(`${server.url}/api/v1/traces/${traceId}`, {
        headers: { 'X-NuGet-ApiKey': server.adminKey },
      }).then((answer) => answer.json());
    await expect.poll(asked).toEqual({ traceId, outcome: 'exported' });
  });

  it.each([
    ['nobody', () => ({}), '/api/v1/server'],
    [
      'a key that only reads',
      async () => ({ 'X-NuGet-ApiKey': await makeKey(server, ['read']) }),
      '/api/v1/key',
    ],
    ['a wrong key', () => ({ 'X-NuGet-ApiKey': 'wrong' }), '/api/v1/key'],
  ] as const)('neither joins nor keeps what %s asks for', async (_who, headersOf, path) => {
    await get(path, { ...(await headersOf()), traceparent });
    // Sent later, so that whatever there is has arrived.
    await get('/api/v1/key', { 'X-NuGet-ApiKey': key, traceparent: traceparent.replace('b7ad', 'c7ad') });

    await arrived('GET api').toMatchObject({ parentSpanId: 'c7ad6b7169203331' });
    expect(collector.spans.filter(({ name }) => name === 'GET api')).toHaveLength(1);
  });

  it('knows nothing of traces that nobody asked for', async () => {
    const answer = await get(`/api/v1/traces/${'0'.repeat(32)}`, { 'X-NuGet-ApiKey': server.adminKey });
    expect([answer.status, answer.statusText]).toEqual([
      404,
      expect.stringMatching(/does not know this trace/),
    ]);
    expect((await get(`/api/v1/traces/${traceId}`, { 'X-NuGet-ApiKey': key })).status).toBe(403);
  });

  it('has no secret in it, wherever it was sent', async () => {
    // Elsewhere what strangers are refused is kept as rarely as reading.
    const all = await startTestServer({ tracing: tracingTo(collector.url, { publishing: 1, other: 1 }) });
    const key = await makeKey(all, ['push']);
    const secret = 'gwt_a-secret-that-was-sent-somewhere';
    const basic = Buffer.from(`user:${secret}`).toString('base64');
    const attempts: readonly Record<string, string>[] = [
      { 'X-NuGet-ApiKey': secret },
      { Authorization: `Basic ${basic}` },
      { Authorization: `Bearer ${secret}` },
      { 'User-Agent': secret, Referer: secret, 'X-Request-Id': secret, tracestate: `a=${secret}` },
    ];
    for (const headers of attempts) {
      await fetch(`${all.url}/nuget/package/${secret}/1.0?apikey=${secret}`, {
        method: 'DELETE',
        headers,
      });
      await fetch(`${all.url}/dl/${secret}/1/2`, { method: 'PUT', headers, body: secret });
      await fetch(`${all.url}/nuget/Packages()?$filter=${secret}`, { headers });
    }
    await pushNupkg(all, makeNupkg({ id: 'Last', version: '1.0.0' }), key);

    await expect.poll(() => collector.bytes().includes('Last'), { timeout: 20_000 }).toBe(true);
    expect(collector.spans.length).toBeGreaterThan(12);
    for (const hidden of [secret, basic, key, all.adminKey, secretHeader]) {
      expect(collector.bytes().includes(hidden)).toBe(false);
      if (hidden !== secret) expect(all.logged()).not.toContain(hidden);
    }
    await all.stop();
    expect(collector.headers.at(-1)).toMatchObject({ 'api-key': secretHeader });
  });

  it('counts by outcome', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();

    expect(metrics).toMatch(/gwt_traces_total\{outcome="exported"\} [1-9]/);
    expect(metrics).toMatch(/gwt_traces_total\{outcome="not_sampled"\} [1-9]/);
    expect(metrics).toMatch(/gwt_traces_total\{outcome="failed"\} 0/);
  });
});

describe('a server whose collector is away', () => {
  it('answers, says so once, counts, and stops soon', async () => {
    const collector = await startOtlpReceiver();
    collector.answer = 404;
    const server = await startTestServer({ tracing: tracingTo(collector.url) });
    const key = await makeKey(server, ['push']);
    const count = async () =>
      (await (await fetch(`${server.url}/metrics`)).text()).match(/failed"\} (\d+)/)?.[1];
    const push = (version: string) => pushNupkg(server, makeNupkg({ version }), key);

    expect((await push('1.0.0')).status).toBe(201);
    await expect.poll(count, { timeout: 20_000 }).toBe('2');
    expect((await push('1.0.1')).status).toBe(201);
    await expect.poll(count, { timeout: 20_000 }).toBe('3');
    collector.answer = 200;
    expect((await push('1.0.2')).status).toBe(201);
    await expect.poll(() => collector.spans.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await server.stop();
    await collector.stop();

    const said = server
      .logged()
      .split('\n')
      .filter((line) => /traces (do not )?arrive/.test(line));
    expect(said.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'warn', reason: 'it answers 404', collector: collector.url }),
      expect.objectContaining({ level: 'info', msg: 'traces arrive again' }),
    ]);
  });
});

describe('a server that traces nothing', () => {
  it('says so', async () => {
    const server = await startTestServer();
    const answer = await fetch(`${server.url}/api/v1/traces/${traceId}`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    await server.stop();

    expect([answer.status, answer.statusText]).toEqual([
      404,
      expect.stringMatching(/^Tracing is off on this server/),
    ]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('/api/v1/rings', () => {
  let server: TestServer;
  let reader: string;
  beforeAll(async () => {
    server = await startTestServer();
    reader = await makeKey(server, ['read']);
  });
  afterAll(() => server.stop());

  async function call(method: string, path: string, key?: string, body?: unknown) {
    const answer = await fetch(`${server.url}/api/v1/rings${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return [answer.status, text === '' ? undefined : JSON.parse(text)];
  }
  const canary = { name: 'canary', globs: ['pc-0001', 'it-*'] };

  it('sets, lists and removes them', async () => {
    const set = await call('POST', '', server.adminKey, { ...canary, globs: ['PC-0001', 'IT-*'] });

    expect(set).toEqual([200, canary]);
    expect(await call('GET', '', reader)).toEqual([200, [canary]]);
    expect(await call('DELETE', '/canary', server.adminKey)).toEqual([204, undefined]);
    expect(await call('DELETE', '/canary', server.adminKey)).toMatchObject([404, { code: 'RING_UNKNOWN' }]);
    expect(await call('GET', '', reader)).toEqual([200, []]);
  });

  it('are changed by administrators and read with a key only', async () => {
    expect(await call('GET', '')).toMatchObject([401, { code: 'KEY_MISSING' }]);
    expect(await call('POST', '', undefined, canary)).toMatchObject([401, {}]);
    expect(await call('POST', '', reader, canary)).toMatchObject([403, { code: 'KEY_SCOPE' }]);
    expect(await call('DELETE', '/canary', reader)).toMatchObject([403, { code: 'KEY_SCOPE' }]);
    const limited = await makeKey(server, ['admin'], ['buf']);
    expect(await call('POST', '', limited, canary)).toMatchObject([403, { code: 'KEY_IDS' }]);
    expect(await call('GET', '', reader)).toEqual([200, []]);
  });

  it.each([
    ['a name in capitals', { ...canary, name: 'Canary' }, 'name: expected a name'],
    ['a name that begins with a dash', { ...canary, name: '-x' }, 'name: expected a name'],
    ['no client', { ...canary, globs: [] }, 'globs: expected at least one'],
    ['a blank in an id', { ...canary, globs: ['pc 1'] }, 'globs.0: expected client ids'],
    ['a letter that no id has', { ...canary, globs: ['bürO'] }, 'globs.0: expected client ids'],
    ['too many', { ...canary, globs: Array(501).fill('a') }, 'globs: expected at most 500'],
    ['a field that it does not know', { ...canary, percent: 10 }, 'percent'],
  ])('refuses %s', async (_what, body, problem) => {
    const [status, { code, title }] = await call('POST', '', server.adminKey, body);

    expect([status, code]).toEqual([400, 'BODY_INVALID']);
    expect(title).toContain(problem);
  });
});

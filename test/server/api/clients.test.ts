import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientsPage } from '../../../server/rollout/client-json.ts';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';

describe('/api/v1/clients', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
    for (const id of ['pc-3', 'pc-1', 'PC-2']) await fetch(`${server.url}/nuget/c/${id}/Packages()`);
  });
  afterEach(() => server.stop());

  async function call(path: string, key: string | undefined, method = 'GET'): Promise<[number, unknown]> {
    const answer = await fetch(`${server.url}/api/v1/clients${path}`, {
      method,
      headers: key === undefined ? {} : { Authorization: `Bearer ${key}` },
    });
    const text = await answer.text();
    return [answer.status, text === '' ? undefined : JSON.parse(text)];
  }

  it('is read page by page', async () => {
    const key = await makeKey(server, ['read']);
    const [, first] = await call('?limit=2', key);
    const [, second] = await call('?limit=2&after=pc-2', key);

    expect(ClientsPage.strict().parse(first)).toMatchObject({
      clients: [{ id: 'pc-1', rings: [], rollouts: [], offers: [] }, { id: 'pc-2' }],
      next: 'pc-2',
    });
    expect(second).toMatchObject({ clients: [{ id: 'pc-3' }], next: null });
  });

  it('names what everybody is offered of a tool that was never rolled out', async () => {
    expect(await call('/pc-9?tool=buf', await makeKey(server, ['read']))).toEqual([
      200,
      { id: 'pc-9', rings: [], rollouts: [], offers: [{ tool: 'buf', packageId: 'buf', why: 'everybody' }] },
    ]);
  });

  it('always needs a key, and one of an administrator for changes', async () => {
    const reader = await makeKey(server, ['read']);

    const answers = [
      await call('', undefined),
      await call('/pc-1', await makeKey(server, ['push'])),
      await call('/pc-1', reader, 'DELETE'),
      await call('/pc-1', server.adminKey, 'DELETE'),
      await call('/pc-1', server.adminKey, 'DELETE'),
      await call('/p%20c', reader),
      await call('?limit=501', reader),
    ];

    expect(answers.map(([status]) => status)).toEqual([401, 403, 403, 204, 404, 400, 400]);
  });
});

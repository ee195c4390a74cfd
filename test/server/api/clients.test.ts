import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientsPage } from '../../../server/rollout/client-json.ts';
import { makeKey, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { heldUploads } from './held-uploads.ts';

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
      {
        ...{ id: 'pc-9', rings: [], rollouts: [], downloaded: [] },
        offers: [{ tool: 'buf', packageId: 'buf', why: 'everybody' }],
      },
    ]);
  });

  it('shows a key that is limited to clients and ids those alone', async () => {
    const key = await makeKey(server, ['push', 'rollout'], [], 'ann');
    const plan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    for (const tool of ['delve', 'buf']) {
      const { whole, call: ask } = heldUploads(server, key, tool);
      await whole('1.22.0');
      expect((await ask('POST', '/rollouts', undefined, { tool, version: '1.22.0', plan }))[0]).toBe(201);
    }
    const limited = async (terms: object) => {
      const made = await fetch(`${server.url}/api/v1/keys`, {
        method: 'POST',
        headers: { 'X-NuGet-ApiKey': server.adminKey, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'limited', scopes: ['read'], ...terms }),
      });
      return ((await made.json()) as { key: string }).key;
    };
    const [ofClient, ofId] = [await limited({ clients: ['PC-2'] }), await limited({ ids: ['buf'] })];

    for (const tool of ['delve', 'buf'])
      expect((await fetch(`${server.url}/nuget/c/pc-1/package/${tool}/1.22.0`)).status).toBe(200);

    const [, page] = await call('', ofClient);
    expect(page).toMatchObject({ clients: [{ id: 'pc-2', rollouts: [{}, {}] }], next: null });
    // No page names another client, not even as the place where the next one begins.
    expect(await call('?limit=1', ofClient)).toMatchObject([
      200,
      { clients: [{ id: 'pc-2' }], next: 'pc-2' },
    ]);
    expect(await call('?limit=1&after=pc-2', ofClient)).toEqual([200, { clients: [], next: null }]);
    expect([(await call('/pc-2', ofClient))[0], await call('/pc-1', ofClient)]).toEqual([
      200,
      [403, expect.objectContaining({ code: 'KEY_CLIENTS' })],
    ]);
    const [, all] = await call('', ofId);
    expect(all).toMatchObject({ clients: [{ id: 'pc-1' }, { id: 'pc-2' }, { id: 'pc-3' }] });
    expect(await call('/pc-1', ofId)).toMatchObject([
      200,
      { rollouts: [{ tool: 'buf' }], offers: [{ tool: 'buf' }], downloaded: [{ packageId: 'buf' }] },
    ]);
    for (const seen of [all, await call('/pc-1', ofId), await call('/pc-1?tool=delve', ofId)]) {
      expect(JSON.stringify(seen)).not.toContain('delve');
    }
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

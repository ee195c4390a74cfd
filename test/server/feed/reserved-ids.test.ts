import { describe, expect, it } from 'vitest';
import { requireOwner } from '../../../server/feed/reserved-ids.ts';
import type { Scope } from '../../../server/keys/api-keys.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { sendRaw } from '../../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer } from '../../kit/test-server.ts';
import { holder } from './storage.ts';

describe('reserved ids', () => {
  it.each<[string, string, Scope, readonly string[], 'taken' | 'refused']>([
    ['acme.*', 'acme.tool', 'push', ['acme.*'], 'taken'],
    ['acme.*', 'ACME.Tool', 'push', ['Acme.T*'], 'taken'],
    ['acme.*', 'acme.tool', 'push:beta', ['acme.tool'], 'taken'],
    ['acme.*', 'acme.tool', 'push', ['other', 'acme.*'], 'taken'],
    ['acme.*', 'acme.tool', 'admin', [], 'taken'],
    ['acme.*', 'other', 'push', [], 'taken'],
    ['acme.*', 'acme', 'push', [], 'taken'],
    ['acme.*', 'acmetool', 'push', [], 'taken'],
    ['delve', 'delve', 'push', ['delve'], 'taken'],
    ['acme.*', 'acme.tool', 'push', [], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['*'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['a*'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['acme*'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['?cme.tool'], 'refused'],
    ['acme.*', 'acme.tool', 'push', ['acme.other', '*'], 'refused'],
    ['acme.*', 'acme.tool', 'admin', ['*'], 'refused'],
    ['delve', 'Delve', 'push', ['delve*'], 'refused'],
  ])('%s: %s from a key %s for %j is %s', (reserved, id, scope, ids, outcome) => {
    const pushing = () => requireOwner(['unrelated', reserved], id, holder(scope, ...ids));

    if (outcome === 'taken') expect(pushing).not.toThrow();
    else expect(pushing).toThrow(expect.objectContaining({ code: 'ID_RESERVED', status: 403 }));
  });

  it('are named in the reason phrase, and nothing is kept', async () => {
    const server = await startTestServer({ reservedIds: ['acme.*'] });
    const anybody = await makeKey(server, ['push']);
    const owner = await makeKey(server, ['push'], ['acme.*']);
    const nupkg = makeNupkg({ id: 'Acme.Tool' });

    const refused = await pushNupkg(server, nupkg, anybody);
    const taken = await pushNupkg(server, nupkg, owner, '/api/v2/package/');

    expect([refused.status, refused.statusText]).toEqual([
      403,
      'The id Acme.Tool is reserved (acme.*): expected a key that is limited to reserved ids. Use such a key (feed:keys add --id), or another id (rule reserved-ids).',
    ]);
    expect(taken.status).toBe(201);
    expect((await pushNupkg(server, makeNupkg({ id: 'free' }), anybody)).status).toBe(201);
    await server.stop();
  });

  it('apply to every way in: payloads, unlisting and relisting, whatever the spelling', async () => {
    const server = await startTestServer({ reservedIds: ['acme.*', 'kube'] });
    const scopes = ['push', 'unlist'];
    const keys = {
      anybody: await makeKey(server, scopes),
      everything: await makeKey(server, scopes, ['*']),
      owner: await makeKey(server, scopes, ['acme.*', 'kube']),
    };
    const send = async (key: keyof typeof keys, method: string, path: string): Promise<number> =>
      (
        await fetch(`${server.url}${path}`, {
          method,
          headers: { 'X-NuGet-ApiKey': keys[key] },
          ...(method === 'PUT' ? { body: 'MZ' } : {}),
        })
      ).status;
    await pushNupkg(server, makeNupkg({ id: 'Acme.Tool', version: '1.0.0' }), keys.owner);
    await pushNupkg(server, makeNupkg({ id: 'kube', version: '1.0.0' }), keys.owner);
    const ways = [
      ...['/nuget', '/nuget/package', '/api/v2/package', '/v3/publish'].flatMap((base) =>
        // Percent-encoded, in another case, with the Kelvin sign, with other spellings of the version.
        [
          'acme.tool/1.0.0',
          'ACME.Tool/1.0',
          'acm%65.tool/1.0.0.0',
          'acme%2Etool/01.0.0',
          '%E2%84%AAube/1.0.0',
          'KUBE/1',
        ].flatMap((path) => [
          ['DELETE', `${base}/${path}`],
          ['POST', `${base}/${path}`],
        ]),
      ),
      ['PUT', '/dl/acme.tool/1.0.0/acme.tool-windows-amd64.exe'],
      ['PUT', '/dl/acm%65.tool/1.0.0/acme.tool-windows-amd64.exe'],
      ['PUT', '/dl/kube/1.0.0-beta.1/kube-windows-amd64.exe'],
      ['PUT', '/dl/kube/1.0.0/kube.cdx.json'],
    ] as [string, string][];

    for (const [method, path] of ways) {
      expect(await send('anybody', method, path), path).toBe(403);
      expect(await send('everything', method, path), path).toBe(403);
    }
    for (const [method, path] of ways) {
      expect([200, 201, 404], path).toContain(await send('owner', method, path));
    }
    await server.stop();
  });

  it('are reached by no path that reads as another one', async () => {
    const server = await startTestServer({ reservedIds: ['acme.*'] });
    const key = await makeKey(server, ['push', 'unlist'], ['mine']);
    const put = async (path: string): Promise<number> => {
      const { status } = await sendRaw(
        server.url,
        `PUT ${path} HTTP/1.1\r\nHost: FEED\r\nX-NuGet-ApiKey: ${key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nMZ`,
      );
      return status;
    };

    for (const path of [
      '/dl/mine/..%2facme.tool%2f1.0.0/acme.tool-windows-amd64.exe',
      '/dl/mine/../acme.tool/1.0.0/acme.tool-windows-amd64.exe',
      '/dl/mine%2f..%2facme.tool/1.0.0/acme.tool-windows-amd64.exe',
      '/dl/mine/1.0.0/..%2f..%2facme.tool%2f1.0.0%2facme.tool-windows-amd64.exe',
      '/dl/mine%00acme.tool/1.0.0/acme.tool-windows-amd64.exe',
      '/dl/Acme.Tool/1.0.0/acme.tool-windows-amd64.exe',
      '/dl//acme.tool/1.0.0/acme.tool-windows-amd64.exe',
      '/DL/acme.tool/1.0.0/acme.tool-windows-amd64.exe',
      '/dl/acme.tool%20/1.0.0/acme.tool-windows-amd64.exe',
      '/dl/m%C4%B1ne/1.0.0/mine-windows-amd64.exe',
      '/dl/mine;acme.tool/1.0.0/acme.tool-windows-amd64.exe',
    ]) {
      expect([400, 403, 404], path).toContain(await put(path));
    }
    expect(await put('/dl/mine/1.0.0/mine-windows-amd64.exe')).toBe(201);
    const audit = await fetch(`${server.url}/api/v1/audit`, {
      headers: { 'X-NuGet-ApiKey': server.adminKey },
    });
    const { entries } = (await audit.json()) as { entries: { kind: string; subject: string }[] };
    expect(entries.filter(({ kind }) => kind === 'payload added').map(({ subject }) => subject)).toEqual([
      'mine',
    ]);
    await server.stop();
  });
});

import { describe, expect, it } from 'vitest';
import { plainTarget } from '../../../server/http/request-target.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { sendRaw } from '../../kit/raw-http.ts';
import { makeKey, pushNupkg, startTestServer } from '../../kit/test-server.ts';

describe('request target', () => {
  it.each([
    ['//nuget//Packages()?a=//b', '/nuget/Packages()?a=//b'],
    ['/nuget/x?q', '/nuget/x?q'],
    ['///', '/'],
    ['/x?a=http://b//c?d', '/x?a=http://b//c?d'],
    ['http://someone:key@FEED?q', '/?q'],
    ['*', '*'],
  ])('%s is taken for %s', (sent, taken) => {
    expect(plainTarget(sent)).toBe(taken);
  });

  it.each([
    ['GET http://FEED/nuget', 200],
    ['GET HTTP://FEED:80//nuget//Packages()?$top=1', 200],
    ["GET https://FEED/api/v2/Packages(Id='kept',Version='1.0.0')", 200],
    ['GET http://FEED/nuget/package/kept/1.0.0', 200],
    ['GET http://FEED', 200],
    ['GET http://FEED/healthz', 200],
    ['GET http://FEED/git/main/go-win-tools.git/info/refs?service=git-upload-pack', 200],
    ['GET http://FEED/m/kept.json', 404],
    ['DELETE http://FEED/nuget', 405],
  ])('may be a whole address: %s', async (line, status) => {
    const server = await startTestServer();
    await pushNupkg(server, makeNupkg({ id: 'kept' }), server.adminKey);

    const answer = await sendRaw(server.url, `${line} HTTP/1.0\r\nHost: FEED\r\n\r\n`);

    expect([answer.status, answer.body.toString()]).toEqual([status, expect.not.stringContaining('FEED')]);
    await server.stop();
  });

  it('is judged by its path alone where reading needs a key', async () => {
    const server = await startTestServer({ readAuth: 'feed' });
    const reader = await makeKey(server, ['read']);
    const ask = (target: string, key = '') =>
      sendRaw(server.url, `GET ${target} HTTP/1.0\r\nHost: FEED\r\n${key}\r\n`);

    for (const target of ['http://healthz/nuget', 'http://m//nuget', 'x://FEED/nuget', 'x:///nuget']) {
      expect((await ask(target)).status).toBe(401);
      expect((await ask(target, `X-NuGet-ApiKey: ${reader}\r\n`)).status).toBe(200);
    }
    await server.stop();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient } from '../../kit/git.ts';
import { type RawAnswer, sendRaw } from '../../kit/raw-http.ts';
import { type BucketServer, serveBucket } from '../bucket/serve-bucket.ts';

describe('manifests by address', () => {
  let server: BucketServer;
  let moved: string;

  beforeAll(async () => {
    server = await serveBucket();
    const git = await createGitClient(server.dir, 'key-push');
    const work = await git.clone(`${server.url}/git/beta/go-win-tools.git`, 'work');
    const release = (version: string): Promise<string> =>
      git.commit(work, `buf: Update to version ${version}`, {
        'bucket/buf.json': server.manifest('buf', version),
      });
    await release('1.32.0-beta.1');
    await release('1.32.0-beta.2');
    await release('1.32.0');
    await git.run(work, 'switch', '-q', 'main');
    await release('1.32.0');
    moved = server.manifest('buf', '1.32.0').replaceAll(`${server.url}/`, 'https://feed.example/');
    await git.commit(work, '(chore): Move to https://feed.example', { 'bucket/buf.json': moved });
    await release('1.32.1');
    await git.run(work, 'switch', '-q', 'beta');
    await release('1.33.0-beta.1');
    await git.run(work, 'push', '-q', '--atomic', 'origin', 'main', 'beta');
  });
  afterAll(() => server.stop());

  it.each([
    ['/m/buf.json', '1.32.1'],
    ['/m/beta/buf.json', '1.33.0-beta.1'],
    ['/m/buf/1.32.0-beta.1/buf.json', '1.32.0-beta.1'],
    ['/m/buf/1.32.0-beta.2/buf.json', '1.32.0-beta.2'],
    ['/m/buf/1.33.0-beta.1/buf.json', '1.33.0-beta.1'],
  ])('%s is %s', async (path, version) => {
    const answer = await fetch(server.url + path);

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toContain('no-cache');
    expect(await answer.text()).toBe(server.manifest('buf', version));
  });

  it('are the newest of their version, so that they lead to where the files are now', async () => {
    const answer = await fetch(`${server.url}/m/buf/1.32.0/buf.json`);

    expect(await answer.text()).toBe(moved);
  });

  it.each([
    '/m/delve.json',
    '/m/beta/delve.json',
    '/m/buf/1.31.0/buf.json',
    '/m/buf/1.32.0/delve.json',
    '/m/delve/1.32.0/delve.json',
    '/m/buf',
    '/m/buf.txt',
    '/m/..%2f..%2fREADME.md.json',
    '/m/buf/--output=x/buf.json',
    '/m/buf%0a/1.32.0/buf%0a.json',
  ])('do not exist at %s', async (path) => {
    const answer = await fetch(server.url + path);

    expect(answer.status).toBe(404);
    expect(await answer.text()).toMatch(
      /^The bucket has no manifest for .*\. Check the name and the version; a manifest is at \/m\/TOOL\.json\.\n$/s,
    );
  });

  it('are not sent again to clients that have them', async () => {
    const ask = (method: string, ...headers: string[]): Promise<RawAnswer> =>
      sendRaw(
        server.url,
        [`${method} /m/buf.json HTTP/1.1`, 'Host: feed', 'Connection: close', ...headers, '', ''].join(
          '\r\n',
        ),
      );
    const { etag } = (await ask('GET')).headers;

    const again = await ask('GET', `If-None-Match: ${etag}`);
    const head = await ask('HEAD');

    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect([head.status, head.headers.etag, head.body.length]).toEqual([200, etag, 0]);
  });
});

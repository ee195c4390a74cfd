import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import { delveRelease, type Generator } from '../../kit/generator.ts';
import { type Listening, listen } from '../../kit/listen.ts';
import { type ReleaseFixture, startReleaseFixture } from '../../kit/release-fixture.ts';
import { makeTempDir } from '../../kit/test-server.ts';
import { nowhere } from '../../kit/upstream-fixture.ts';

/** A bucket on another git host and payloads on another web server (BUCKET_URL, PAYLOAD_URL). */
describe('a release to addresses elsewhere', () => {
  let dir: string;
  let fixture: ReleaseFixture;
  let generator: Generator;
  let store: Listening;
  let files: Map<string, Buffer>;
  let keys: unknown[];

  beforeEach(async () => {
    dir = await makeTempDir();
    files = new Map();
    keys = [];
    store = await listen(async (request, response) => {
      const { method, url = '', headers } = request;
      keys.push(headers['x-nuget-apikey']);
      if (method === 'PUT') files.set(url, await buffer(request));
      const file = files.get(url);
      response.writeHead(method === 'PUT' ? 201 : file === undefined ? 404 : 200).end(file);
    });
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', join(dir, 'bucket.git')]);
    fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': [delveRelease('1.26.3')] },
      settings: {
        BUCKET_URL: join(dir, 'bucket.git'),
        PAYLOAD_URL: `${store.url}/files/{tool}/{version}/{file}`,
      },
    });
    ({ generator } = fixture);
  });
  afterEach(async () => {
    await fixture.stop();
    await store.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('puts payloads and their hashes there, without the key of the feed, and names them in the manifest', async () => {
    expect(await generator.run('release:beta', ['delve'])).toMatchObject({ exitCode: 0 });

    const { architecture } = JSON.parse(show('beta')) as {
      architecture: Record<string, { url: string; hash: string }>;
    };
    const url = `${store.url}/files/delve/1.26.3-beta.1/dlv-windows-amd64.exe`;
    expect(architecture['64bit']!.url).toBe(`${url}#/dlv.exe`);
    const path = new URL(url).pathname;
    expect(digestBytes(files.get(path)!).sha256).toBe(architecture['64bit']!.hash);
    expect(files.get(`${path}.sha256`)!.toString()).toBe(`${architecture['64bit']!.hash}\n`);
    expect(keys.every((key) => key === undefined)).toBe(true);
  });

  it('promotes with the payloads from there', async () => {
    await generator.run('release:beta', ['delve']);

    expect(await generator.run('release:promote', ['delve'])).toMatchObject({ exitCode: 0 });

    expect(show('main')).toBe(show('beta'));
    expect(files.get('/files/delve/1.26.3/dlv-windows-arm64.exe')).toEqual(
      files.get('/files/delve/1.26.3-beta.1/dlv-windows-arm64.exe'),
    );
  });

  it('names the unreachable address, which is not the feed', async () => {
    const env = { PAYLOAD_URL: `${nowhere}/{tool}/{version}/{file}` };

    const { exitCode, stderr } = await generator.run('release:beta', ['delve'], { env });

    expect(exitCode).toBe(4);
    expect(stderr).toContain(`failed: ${nowhere} cannot be reached: `);
    expect(stderr).toContain('Nothing was published.');
  });

  it('refuses other bytes under a name that is taken', async () => {
    files.set('/files/delve/1.26.3-beta.1/dlv-windows-amd64.exe.sha256', Buffer.from(`${'0'.repeat(64)}\n`));

    expect(await generator.run('release:beta', ['delve'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('with other bytes'),
    });
  });

  it('uploads nothing where it may not, and promises no missing file', async () => {
    const result = await generator.run('release:beta', ['delve'], { env: { PAYLOAD_PUT: 'false' } });

    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('does not exist (404') });
    expect(files.size).toBe(0);
  });

  it("needs both addresses for another maker's feed", async () => {
    const env = { FEED_URL: `${store.url}/nuget`, BUCKET_URL: '' };

    expect(await generator.run('release:beta', ['delve'], { env })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('is not a go-win-tools server, so BUCKET_URL must be set'),
    });
  });

  function show(branch: string): string {
    const path = `${branch}:bucket/delve.json`;
    return execFileSync('git', ['-C', join(dir, 'bucket.git'), 'cat-file', 'blob', path], {
      encoding: 'utf8',
    });
  }
});

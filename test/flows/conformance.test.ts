import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import peer from 'express-chocolatey-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../kit/cli.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import type { RunResult } from '../kit/programs.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

type Line = { id: string; verdict: string; level: string };

describe('feed:conformance', () => {
  let testServer: TestServer;

  beforeAll(async () => {
    testServer = await startTestServer();
    for (const version of ['1.0.0', '1.1.0', '1.2.0-beta.1']) {
      await pushNupkg(testServer, makeNupkg({ id: 'delve', version }), testServer.adminKey);
    }
  });
  afterAll(() => testServer.stop());

  it('finds no fault in our own server, with its own packages', async () => {
    const key = join(await makeTempDir(), 'key');
    await writeFile(key, `${testServer.adminKey}\n`);

    const result = await cli({}, 'feed:conformance', `${testServer.url}/nuget`, '--api-key-file', key);

    expect(failures(result.stdout)).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^all +2\d\d +- +- +- /m);
    expect(result.stderr).toContain('packages of this run were unlisted or deleted');
  });

  it('finds no fault by reading alone, also at the other address', async () => {
    const result = await cli(
      {},
      'feed:conformance',
      `${testServer.url}/api/v2/`,
      '--json',
      '--package',
      'delve',
    );

    const lines = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
    expect(lines.filter(({ verdict }) => verdict === 'passed').length).toBeGreaterThan(150);
    expect(result.code).toBe(0);
  });

  it('finds no fault where reading needs a key, even one with umlauts', async () => {
    const closed = await startTestServer({ readAuth: 'feed', adminApiKey: 'schlüssel-für-alle-tests' });
    const key = join(await makeTempDir(), 'key');
    await writeFile(key, 'schlüssel-für-alle-tests\n');
    const credentials = ['--api-key-file', key, '--user', 'reader', '--password-file', key];

    const result = await cli({}, 'feed:conformance', `${closed.url}/api/v2`, ...credentials, '--quick');

    expect(failures(result.stdout)).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^2\.4 +\d+ +- +- +- +-/m);
    await closed.stop();
  });

  it('checks only what is asked for', async () => {
    const result = await cli(
      {},
      'feed:conformance',
      `${testServer.url}/nuget`,
      '--json',
      '--only',
      '9.1',
      '--level',
      'must',
    );

    const ids = result.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Line).id);
    expect(ids.every((id) => id.startsWith('service-document/'))).toBe(true);
    expect(ids.length).toBeGreaterThan(1);
  });

  it.each([
    ['no address', ['nonsense']],
    ['a check that is not there', ['http://127.0.0.1:1/', '--only', '99']],
    ['a password without user', ['http://127.0.0.1:1/', '--password-file', 'package.json']],
    ['a key file that is not there', ['http://127.0.0.1:1/', '--api-key-file', 'no-such-file']],
  ])('ends with 2 for %s', async (_, args) => {
    expect((await cli({}, 'feed:conformance', ...args)).code).toBe(2);
  });

  it('ends with 4 when nobody answers', async () => {
    const result = await cli({}, 'feed:conformance', 'http://127.0.0.1:1/nuget');

    expect(result.code).toBe(4);
    expect(result.stderr).toContain('cannot be reached');
  });
});

describe('feed:conformance behind a captive portal', () => {
  it('ends with 4 and names the host', async () => {
    const portal = await listen((_, response) => response.end('<html><body>Sign in</body></html>'));
    const result = await cli({}, 'feed:conformance', `${portal.url}/nuget`);
    await portal.stop();

    expect(result.code).toBe(4);
    expect(result.stderr).toContain(`${new URL(portal.url).host} answers with a page of HTML`);
  });
});

describe('feed:conformance on express-chocolatey-server', () => {
  let server: Listening;

  beforeAll(async () => {
    const dir = await makeTempDir();
    for (const version of ['1.0.0', '1.1.0']) {
      await writeFile(
        join(dir, `${version}.nupkg`),
        makeNupkg({ id: 'delve', version, metadata: { summary: 'A debugger' } }),
      );
    }
    const app = express();
    peer.configureRoutes(
      app,
      ['1.0.0', '1.1.0'].map((version) => peer.readPackageMetadata(join(dir, `${version}.nupkg`))),
    );
    server = await listen(app);
  });
  afterAll(() => server.stop());

  it('reports its known faults', async () => {
    const result: RunResult = await cli({}, 'feed:conformance', server.url, '--json', '--package', 'delve');

    const failed = failuresOf(result);
    // Each seen with the real client: "String.Empty type is not compatible with the expected System.Boolean" (spec nuget-v2 18.2).
    expect(failed).toContain('entries/booleans');
    // It has neither Search nor flags of its own: two versions of one id are both the latest.
    expect(failed).toContain('metadata/function-search');
    expect(failed).toContain('filters/exact-latest');
    expect(failed).toContain('search/no-hit');
    expect(result.code).toBe(1);
  });
});

function failuresOf({ stdout }: RunResult): string[] {
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  return lines.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
}

function failures(table: string): string[] {
  return table.split('\n').filter((line) => /^(MUST|SHOULD|MAY) /.test(line));
}

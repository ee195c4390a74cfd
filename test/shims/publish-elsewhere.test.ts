import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { hasGo } from '../kit/exe.ts';
import { type Listening, listen } from '../kit/listen.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { publishShims } from './publish-shims.ts';

const launcher = 'go-win-shims/1.2.0-beta.1/go-win-shims-windows-amd64.exe';

describe.skipIf(!hasGo)('shims --publish where somebody else uploads the launcher (needs go)', () => {
  let server: TestServer;
  let files: Listening;
  let dir: string;
  beforeAll(async () => {
    server = await startTestServer();
    dir = await makeTempDir();
    files = await listen(express().use(express.static(join(dir, 'payloads'))));
  });
  afterAll(async () => {
    await files.stop();
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  const publish = (flags: readonly string[] = [], place = '{tool}/{version}/{file}'): Promise<string> =>
    publishShims({
      ...{ server, dir, flags, channel: 'beta', key: 'push:beta' },
      env: { PAYLOAD_URL: `${files.url}/${place}`, PAYLOAD_PUT: 'false' },
    });
  const isOnFeed = async (): Promise<boolean> =>
    (await fetch(`${server.url}/nuget/Packages(Id='go-win-shims',Version='1.2.0-beta.1')`)).ok;

  it("is refused where only upstream's own files are, also in a dry run", async () => {
    for (const flags of [[], ['--dry-run']]) {
      await expect(publish(flags, '{repository}/{tag}/{asset}')).rejects.toMatchObject({
        code: 'SETTINGS_INVALID',
        message: expect.stringContaining('PAYLOAD_URL'),
      });
    }
    expect(await isOnFeed()).toBe(false);
  });

  it('is refused before anything is pushed, until its bytes are there, which --out has kept', async () => {
    await expect(publish()).rejects.toMatchObject({
      code: 'PAYLOAD_MISSING',
      message: expect.stringContaining(`${files.url}/${launcher} does not exist (404`),
      hint: expect.stringContaining('--dry-run --out DIR'),
    });
    expect(await isOnFeed()).toBe(false);

    await publish(['--dry-run', '--out', dir]);
    const file = join(dir, 'payloads', launcher);
    const bytes = await readFile(file);
    expect(await readFile(`${file}.sha256`, 'utf8')).toBe(`${digestBytes(bytes).sha256}\n`);
    await writeFile(file, bytes.subarray(1));
    await expect(publish()).rejects.toMatchObject({ code: 'OTHER_BYTES', exitCode: 3 });
    await writeFile(file, bytes);
    await writeFile(`${file}.sha256`, `${'0'.repeat(64)}\n`);
    await expect(publish()).rejects.toMatchObject({
      code: 'OTHER_BYTES',
      message: expect.stringContaining('.sha256 is refused'),
    });
    expect(await isOnFeed()).toBe(false);

    await publish(['--dry-run', '--out', dir]);
    expect(await publish()).toContain('go-win-shims 1.2.0-beta.1: published to beta\n');
    expect(await (await fetch(`${server.url}/m/beta/go-win-shims.json`)).json()).toMatchObject({
      architecture: { '64bit': { url: `${files.url}/${launcher}#/launcher.exe` } },
    });
  });
});

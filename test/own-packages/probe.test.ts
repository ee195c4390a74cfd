import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import AdmZip from 'adm-zip';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { createCommand } from '../../own-packages/probe-command.ts';
import { hasGo } from '../kit/exe.ts';
import { mustRun } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeKey, makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

// Three builds from nothing take a minute of processor time each.
describe.skipIf(!hasGo)('probe (needs go)', { timeout: 1_800_000 }, () => {
  let server: TestServer;
  let dir: string;
  beforeAll(async () => {
    server = await startTestServer();
    dir = await makeTempDir();
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('needs a folder or a channel', async () => {
    await expect(probe()).rejects.toMatchObject({ code: 'USAGE' });
    await expect(probe('--out', dir, '--dry-run')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('goes to beta and main with the same exe, and its package has the programs for Linux images', async () => {
    expect(await probe('--publish', 'beta', '--dry-run')).toBe(
      'go-win-probe 1.2.0-beta.1: would be published to beta\n',
    );
    expect(await probe('--publish', 'beta')).toBe('go-win-probe 1.2.0-beta.1: published to beta\n');
    expect(await probe('--publish', 'beta')).toBe('go-win-probe 1.2.0-beta.1: already published\n');
    expect(await probe('--publish', 'main')).toBe('go-win-probe 1.2.0: published to main\n');

    const manifest = await (await fetch(`${server.url}/m/go-win-probe.json`)).json();
    const url = `${server.publicUrl}/dl/go-win-probe/1.2.0/go-win-probe-windows-amd64.exe`;
    const exe = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(manifest).toMatchObject({
      version: '1.2.0',
      bin: 'go-win-probe.exe',
      architecture: { '64bit': { url: `${url}#/go-win-probe.exe`, hash: digestBytes(exe).sha256 } },
    });

    const nupkg = await fetch(`${server.url}/nuget/package/go-win-probe/1.2.0`);
    const files = new AdmZip(Buffer.from(await nupkg.arrayBuffer()));
    const names = files.getEntries().map(({ entryName }) => entryName);
    expect(names.filter((name) => name.startsWith('tools/'))).toEqual([
      'tools/go-win-probe.exe',
      'tools/go-win-probe-linux-amd64.bin',
      'tools/go-win-probe-linux-arm64.bin',
      'tools/LICENSE.txt',
      'tools/THIRD-PARTY-NOTICES.txt',
      'tools/VERIFICATION.txt',
    ]);
    expect(files.readFile('tools/go-win-probe.exe')?.equals(exe)).toBe(true);
    const program = join(dir, 'go-win-probe');
    await writeFile(program, files.readFile(`tools/go-win-probe-linux-${goArch}.bin`) ?? '');
    await chmod(program, 0o755);
    expect(await mustRun(program, ['-help'])).toContain('go-win-probe -check URL');

    // what was built once is not built again
    const said = await probe('--out', 'probe');
    expect((await readdir(join(dir, 'probe'))).sort()).toEqual([
      'go-win-probe-linux-amd64.bin',
      'go-win-probe-linux-arm64.bin',
      'go-win-probe.exe',
    ]);
    const { sha256 } = digestBytes(await readFile(join(dir, 'probe', 'go-win-probe.exe')));
    expect(sha256).toBe(digestBytes(exe).sha256);
    expect(said).toContain(`go-win-probe.exe  SHA-256 ${sha256}\n`);
    expect(files.readAsText('tools/VERIFICATION.txt')).toContain(sha256);
  });

  async function probe(...args: readonly string[]): Promise<string> {
    const said: string[] = [];
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        said.push(String(chunk));
        done();
      },
    });
    const env = {
      ...process.env,
      CACHE_DIR: testCacheDir,
      FEED_URL: `${server.url}/nuget`,
      FEED_API_KEY: await makeKey(server, ['push']),
      DATA_DIR: dir,
    };
    const invocation = { env, stdout, stderr: stdout, productDir, cwd: dir, version: '1.2.0' };
    const command = createCommand({ ...invocation, signal: new AbortController().signal });
    await command.parseAsync([...args], { from: 'user' });
    return said.join('');
  }
});

const goArch = process.arch === 'arm64' ? 'arm64' : 'amd64';

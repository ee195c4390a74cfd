import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CuttingProxy, startCuttingProxy } from '../kit/cutting-proxy.ts';
import { makeTinyExe } from '../kit/exe.ts';
import type { Forge, ForgeRelease } from '../kit/forge.ts';
import type { Fault } from '../kit/forge-faults.ts';
import { delveRelease, type Generator, withChecksums } from '../kit/generator.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { startTestServer, type TestServer } from '../kit/test-server.ts';

/** What needs this machine only is done for all tools at once; what is published comes in the order of the plan. */
describe('a release of several tools', () => {
  let server: TestServer;
  let proxy: CuttingProxy;
  let fixture: ReleaseFixture;
  let forge: Forge;
  let generator: Generator;

  beforeEach(async () => {
    server = await startTestServer();
    proxy = await startCuttingProxy(server.url);
    fixture = await startReleaseFixture({
      server,
      settings: {
        FEED_URL: `${proxy.url}/nuget`,
        TRUST_FILE: join(import.meta.dirname, '..', 'kit', 'trust-buf-unsigned.yaml'),
      },
    });
    ({ forge, generator } = fixture);
  });
  afterEach(async () => {
    await fixture.stop();
    await proxy.stop();
    await server.stop();
  });

  it('downloads them at once, and stops all of them when it is interrupted', async () => {
    const hang = { kind: 'hang', afterBytes: 10 } as const;
    addTools(hang, hang);
    const interruption = new AbortController();

    const running = generator.run('release:beta', ['delve', 'buf'], { signal: interruption.signal });
    // of each repository, numbered 1 and 2 by the forge, before any file of the other has come
    await expect.poll(() => new Set(forge.requests.flatMap(repositoryOfObject)).size).toBe(2);
    interruption.abort();
    const result = await running;

    expect(result.exitCode, result.stderr).toBe(130);
    expect(result.stderr).toContain(
      'Nothing was published. Not finished: delve 1.26.3-beta.1, buf 1.72.0-beta.1',
    );
    expect(proxy.requests.filter((line) => line.startsWith('PUT'))).toEqual([]);
  });

  it('publishes them one after the other in the order of the plan', async () => {
    addTools();

    const result = await generator.run('release:beta', ['delve', 'buf']);

    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
      'delve 1.26.3-beta.1',
      '  how testers install it',
      'buf 1.72.0-beta.1',
      '  how testers install it',
      '',
    ]);
    const told = result.stderr.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2).join(' '));
    expect(told.indexOf('buf pack')).toBeLessThan(told.indexOf('delve payloads'));
    expect(told.indexOf('delve commit')).toBeLessThan(told.indexOf('buf payloads'));
    const promoted = await generator.run('release:promote', ['buf', 'delve']);
    expect(promoted.exitCode, promoted.stderr).toBe(0);
    expect(promoted.stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
      'buf 1.72.0',
      'delve 1.26.3',
      '',
    ]);
  });

  it('publishes the others when one is refused, and names those that failed in the order of the request', async () => {
    addTools({ kind: 'html' });

    const result = await generator.run('release:beta', ['delve', 'buf']);

    expect(result.exitCode).toBe(3);
    expect(result.stdout).toContain('buf 1.72.0-beta.1: released');
    expect(result.stderr).toContain('1 of 2 failed: delve.');
  });

  it('makes several tools from one archive, each with its own exe', async () => {
    const tools = ['one', 'two', 'three'];
    const zip = new AdmZip();
    for (const name of tools) zip.addFile(`${name}.exe`, exeOfSuite(name));
    const assets = withChecksums([{ name: 'suite.zip', bytes: zip.toBuffer() }]);
    forge.addRepository('acme/suite', [{ tag: 'v1.0.0', assets }]);
    for (const name of tools) {
      await writeFile(join(generator.dir, `${name}.yaml`), toolOfSuite(name));
      await writeFile(join(generator.dir, `${name}.LICENSE.txt`), 'MIT\n');
    }

    const result = await generator.run('release:beta', tools, {
      env: { TOOLS_DIR: generator.dir, TRUST_FILE: '' },
    });

    expect(result.exitCode, result.stderr).toBe(0);
    for (const name of tools) {
      const payload = await fetch(`${server.url}/dl/${name}/1.0.0-beta.1/${name}-windows-amd64.exe`);
      expect(Buffer.from(await payload.arrayBuffer()), name).toEqual(exeOfSuite(name));
    }
    expect(forge.requests.filter((line) => line.includes('GET /objects/'))).toHaveLength(2);
  });

  it('says what was published and what was not when it is interrupted between two', async () => {
    addTools();
    const interruption = new AbortController();
    proxy.trap('PUT /nuget/', 'after', () => interruption.abort(), 2);

    const result = await generator.run('release:beta', ['delve', 'buf'], { signal: interruption.signal });
    const again = await generator.run('release:beta', ['delve', 'buf']);

    expect(result.exitCode).toBe(130);
    expect(result.stderr).toContain('manifest delve 1.26.3-beta.1 on branch beta');
    expect(result.stderr).toContain('Not finished: buf 1.72.0-beta.1');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toContain('buf 1.72.0-beta.1: released, the package was already on the feed');
  });

  function addTools(ofDelve?: Fault, ofBuf?: Fault): void {
    forge.addRepository('go-delve/delve', [withFault(delveRelease('1.26.3'), ofDelve)]);
    forge.addRepository('bufbuild/buf', [withFault(bufRelease('1.72.0'), ofBuf)]);
  }
});

function bufRelease(version: string): ForgeRelease {
  const bytes = makeTinyExe({ module: { path: 'github.com/bufbuild/buf', version: '(devel)' } });
  const assets = withChecksums([{ name: 'buf-Windows-x86_64.exe', bytes }]);
  return {
    tag: `v${version}`,
    assets: assets.map((one) => (one.name === 'checksums.txt' ? { ...one, name: 'sha256.txt' } : one)),
  };
}

function exeOfSuite(name: string): Buffer {
  return makeTinyExe({ module: { path: 'example.test/suite', version: 'v1.0.0' }, filler: name });
}

function toolOfSuite(name: string): string {
  return `
tool: ${name}
command: ${name}
first: 1.0.0
sources:
  - kind: github
    repository: acme/suite
    assets: { amd64: suite.zip }
    member: ${name}.exe
    checksums: checksums.txt
module: [{ path: example.test/suite }]
trust: { require: [checksum, pe] }
package:
  summary: The program ${name} of a suite
  authors: Acme
  license: MIT
  projectUrl: https://example.test/suite
`;
}

function withFault(release: ForgeRelease, fault: Fault | undefined): ForgeRelease {
  if (fault === undefined) return release;
  return { ...release, assets: release.assets?.map((asset) => ({ ...asset, fault })) ?? [] };
}

/** `store GET /objects/1000000?signature=abc` -> 1 */
function repositoryOfObject(line: string): number[] {
  const [, id] = /\/objects\/(\d+)/.exec(line) ?? [];
  return id === undefined ? [] : [Math.floor(Number(id) / 1_000_000)];
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownGoVersion } from '../../devbox/go-toolchain.ts';
import { hasGo } from '../kit/exe.ts';
import { delveRelease } from '../kit/generator.ts';
import { startGoProxy } from '../kit/go-proxy.ts';
import { startReleaseFixture } from '../kit/release-fixture.ts';
import { makeSumDatabase } from '../kit/sumdb.ts';
import { productDir } from '../kit/test-server.ts';

describe.skipIf(!hasGo)('the Windows toolchain of devbox:create (needs go)', () => {
  it('is the zip of the module proxy, if the checksum database vouches for it, and is asked for once', async () => {
    const go = await ownGoVersion(productDir);
    const version = `v0.0.1-go${go}.windows-amd64`;
    const files = { 'go.mod': 'module golang.org/toolchain\n', 'bin/go.exe': 'a compiler' };
    const toolchain = { path: 'golang.org/toolchain', version, files };
    const proxy = await startGoProxy([toolchain], makeSumDatabase([toolchain]));
    const other = { ...toolchain, files: { ...files, 'bin/go.exe': 'a forged compiler' } };
    const forged = await startGoProxy([other], makeSumDatabase([toolchain], 'other.test'));
    const fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': [delveRelease('1.26.2')] },
    });
    const { generator } = fixture;
    try {
      await generator.run('release:beta', ['delve']);
      await generator.run('release:promote', ['delve']);
      const lock = async () =>
        JSON.parse(await readFile(join(generator.dir, 'repository', 'devbox.lock.json'), 'utf8'));

      const refused = await generator.run('devbox:create', ['repository'], { env: forged.env });
      expect(refused).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('could not be had') });
      expect((await lock()).go).toEqual({ version: go });

      const result = await generator.run('devbox:create', ['repository'], { env: proxy.env });
      expect(result.stderr).not.toContain('could not be had');
      const url = `${proxy.url}/golang.org/toolchain/@v/${version}.zip`;
      const zip = Buffer.from(await (await fetch(url)).arrayBuffer());
      const sha256 = createHash('sha256').update(zip).digest('hex');
      expect((await lock()).go).toEqual({ version: go, windows: { url, sha256 } });

      await proxy.stop();
      const again = await generator.run('devbox:create', ['repository'], { env: proxy.env });
      expect(again.stderr).not.toContain('could not be had');
    } finally {
      await fixture.stop();
      for (const { stop } of [proxy, forged]) await stop();
    }
  });
});

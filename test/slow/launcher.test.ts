import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../own-packages/build-program.ts';
import { launcherSource } from '../../shims/package.ts';
import { createCache } from '../../system/cache/cache.ts';
import { hasProgram } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';
import { makeAccess } from '../kit/upstream-fixture.ts';
import { useDisk } from '../kit/use-disk.ts';
import { buildTestLauncher } from '../shims/windows.ts';

useDisk();

describe.skipIf(!hasProgram('go'))('the launcher (needs go)', () => {
  it('is byte-identical when built from another folder, with another home and other caches', async () => {
    const dir = await makeTempDir();
    const launcher = await buildTestLauncher();
    const elsewhere = await mkdtemp(join(dir, 'else where-'));
    const source = join(elsewhere, 'shims', 'launcher');
    await cp(join(productDir, 'shims', 'launcher'), source, { recursive: true });
    const said: string[] = [];
    const step = (...words: readonly (string | undefined)[]): void => void said.push(words.join(' '));
    const build = () =>
      buildProgram(
        {
          ...makeAccess(),
          cache: createCache(join(elsewhere, 'cache')),
          env: {
            ...process.env,
            HOME: elsewhere,
            TMPDIR: elsewhere,
            GOFLAGS: '-tags=other',
            GOAMD64: 'v3',
            CGO_ENABLED: '1',
          },
          productDir: elsewhere,
          report: { warn: step, step },
          signCommand: undefined,
        },
        launcherSource,
      );

    const again = await build();
    expect(said.join('\n')).toMatch(/^\S+ build for windows amd64 with go1\.\d+\.\d+$/);
    expect(again.digest).toEqual(launcher.digest);
    expect((await readFile(again.path)).equals(await readFile(launcher.path))).toBe(true);

    // the same way, with one digit of the source another one
    const main = await readFile(join(source, 'main.go'), 'utf8');
    await writeFile(join(source, 'main.go'), main.replace('maxDepth = 64', 'maxDepth = 65'));
    const other = await build();
    expect(other.digest.sizeBytes).toBe(launcher.digest.sizeBytes);
    expect(other.digest.sha256).not.toBe(launcher.digest.sha256);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
});

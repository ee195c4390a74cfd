import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delveRelease } from '../kit/generator.ts';
import { mainJs } from '../kit/main-js.ts';
import { nodePath } from '../kit/nodes.ts';
import { mustRun } from '../kit/programs.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { productDir } from '../kit/test-server.ts';

/** The same release, made by the real program on what could be other machines. */
describe('a release made again', () => {
  let fixture: ReleaseFixture;
  let reference: Record<string, Buffer>;

  beforeAll(async () => {
    fixture = await startReleaseFixture({
      repositories: { 'go-delve/delve': [delveRelease('1.26.3')] },
      scopes: [],
    });
    reference = await make('reference', process.execPath, { TZ: 'UTC', LC_ALL: 'C' });
  });
  afterAll(() => fixture.stop());

  /** A dry run with a cache, a folder and settings of its own; answers with the files that it kept. */
  async function make(
    name: string,
    node: string,
    env: Record<string, string>,
  ): Promise<Record<string, Buffer>> {
    const dir = join(fixture.generator.dir, name);
    const out = join(dir, 'out');
    await mkdir(dir);
    await mustRun(node, [mainJs, 'release:beta', 'delve', '--dry-run', '--out', out], {
      cwd: productDir,
      env: { ...fixture.generator.env, CACHE_DIR: join(dir, 'cache'), TMPDIR: dir, TEMP: dir, ...env },
    });
    const names = await readdir(out);
    return Object.fromEntries(
      await Promise.all(names.map(async (file) => [file, await readFile(join(out, file))])),
    );
  }

  it('is a package, a manifest and a record', () => {
    expect(Object.keys(reference).sort()).toEqual([
      'delve.1.26.3-beta.1.nupkg',
      'delve.1.26.3-beta.1.release.json',
      'delve.json',
    ]);
  });

  it('has the same bytes in another folder, time zone and language', async () => {
    const there = await make('Ordner mit Löchern', process.execPath, {
      TZ: 'Asia/Kolkata',
      LC_ALL: 'tr_TR.UTF-8',
      LANG: 'tr_TR.UTF-8',
    });

    expect(there).toEqual(reference);
  });

  for (const major of [22, 24]) {
    it.skipIf(nodePath(major) === undefined)(
      `has the same bytes on Node ${major} (needs it from npm)`,
      async () => {
        expect(await make(`node-${major}`, nodePath(major)!, { TZ: 'America/New_York' })).toEqual(reference);
      },
    );
  }
});

import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDir } from '../../formats/make-dir.ts';
import { makeTempDir } from '../kit/test-server.ts';

describe('makeDir', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('makes a folder and its parents, also many times at once and again', async () => {
    const path = join(dir, 'a', 'b', 'c');

    await Promise.all(Array.from({ length: 20 }, () => makeDir(path)));
    await makeDir(path);

    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')(
    'fails at once where there can be no folder (needs /proc)',
    async () => {
      await expect(makeDir('/proc/go-win-tools/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );
});

import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFolderSource } from '../../../server/import/folder.ts';
import { isSkipped } from '../../../server/import/source.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { makeTempDir } from '../../kit/test-server.ts';

let dir = '';
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('a folder of packages', () => {
  it("is read even if one of its folders cannot be, such as a volume's lost+found", async () => {
    dir = await makeTempDir();
    await mkdir(join(dir, 'b'));
    for (const id of ['a', 'c']) await writeFile(join(dir, `${id}.nupkg`), makeNupkg({ id }));

    const seen: string[] = [];
    for await (const item of createFolderSource(dir, { parallel: 1 }).list([])) {
      // Whoever runs the tests may read every folder, but none that is gone.
      if (seen.length === 0) await rm(join(dir, 'b'), { recursive: true });
      seen.push(isSkipped(item) ? `${item.kind}: ${item.reason}` : item.id);
    }

    expect(seen).toEqual(['a', expect.stringContaining('failed: ENOENT'), 'c']);
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe in it (mkfifo)', async () => {
    dir = await makeTempDir();
    for (const name of ['index.json', 'p.nupkg']) execFileSync('mkfifo', [join(dir, name)]);

    const kinds: string[] = [];
    for await (const item of createFolderSource(dir).list([]))
      kinds.push(isSkipped(item) ? item.kind : item.id);

    expect(kinds).toEqual(['skipped']);
  });

  it('lists the requested ids, and says which of them it does not have', async () => {
    dir = await makeTempDir();
    for (const id of ['bank.a', 'bank.b', 'other'])
      await writeFile(join(dir, `${id}.nupkg`), makeNupkg({ id }));
    const asked = async (...globs: string[]): Promise<string[]> => {
      const seen: string[] = [];
      for await (const item of createFolderSource(dir).list(globs)) {
        seen.push(isSkipped(item) ? `${item.kind} ${item.from}: ${item.reason}` : item.id);
      }
      return seen;
    };

    expect(await asked()).toEqual(['bank.a', 'bank.b', 'other']);
    expect(await asked('BANK.*')).toEqual(['bank.a', 'bank.b']);
    expect(await asked('bank.?', 'other')).toEqual(['bank.a', 'bank.b', 'other']);
    expect(await asked('Other', 'none', 'no*')).toEqual([
      'other',
      'failed none: the source has no package of this id',
    ]);
  });

  it('is an error when it cannot be read itself', async () => {
    dir = await makeTempDir();

    const items = createFolderSource(join(dir, 'none')).list([]);

    await expect(items[Symbol.asyncIterator]().next()).rejects.toThrow('ENOENT');
  });
});

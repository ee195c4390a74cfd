import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuiltProgram } from '../../own-packages/build-program.ts';
import { planShims } from '../../shims/plan.ts';
import { writeShims } from '../../shims/write-shims.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { templates } from './fixture.ts';

describe('shims over those of an earlier run', () => {
  let dir: string;
  let launcher: BuiltProgram;
  const plans = planShims([{ tool: 'delve', command: 'dlv', packageId: undefined }], {});
  const names = ['dlv', 'dlv.cmd', 'dlv.exe', 'dlv.shim.json'];

  beforeEach(async () => {
    dir = await makeTempDir();
    const path = join(dir, 'launcher');
    await writeFile(path, 'new');
    launcher = { path, digest: { sha256: '', sha512: '', sizeBytes: 3 } };
    await mkdir(join(dir, 'shims'));
    await writeFile(join(dir, 'shims', 'dlv.exe'), 'old');
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('replaces the launcher and leaves nothing beside it', async () => {
    expect(await writeShims(join(dir, 'shims'), plans, templates, launcher)).toEqual(names);

    expect((await readdir(join(dir, 'shims'))).sort()).toEqual(names);
    expect(await readFile(join(dir, 'shims', 'dlv.exe'), 'utf8')).toBe('new');
  });

  it('keeps the old launcher when the new one cannot be copied', async () => {
    await rm(launcher.path);

    await expect(writeShims(join(dir, 'shims'), plans, templates, launcher)).rejects.toThrow('ENOENT');
    expect(await readFile(join(dir, 'shims', 'dlv.exe'), 'utf8')).toBe('old');
  });

  // a folder, as a program that runs on Windows, lets itself be renamed but neither be written over nor removed
  async function letOneRun(): Promise<void> {
    await rm(join(dir, 'shims', 'dlv.exe'));
    await mkdir(join(dir, 'shims', 'dlv.exe'));
  }
  const asideIn = async () => (await readdir(join(dir, 'shims'))).filter((name) => !names.includes(name));

  it('puts one aside that cannot be replaced, as often as needed', async () => {
    for (const times of [1, 2, 3]) {
      await letOneRun();

      await writeShims(join(dir, 'shims'), plans, templates, launcher);

      expect(await readFile(join(dir, 'shims', 'dlv.exe'), 'utf8')).toBe('new');
      const aside = await asideIn();
      expect(aside).toHaveLength(times);
      for (const name of aside) expect(name).toMatch(/^dlv\.exe\.old-[0-9a-f]{8}$/);
    }
  });

  it.each(['with', 'without'])(
    'clears away what was put aside, as soon as it has ended, %s a launcher',
    async (how) => {
      await writeFile(join(dir, 'shims', 'dlv.exe.old'), 'of an earlier release');
      await writeFile(join(dir, 'shims', 'dlv.exe.old-01234567'), 'ended');
      await mkdir(join(dir, 'shims', 'dlv.exe.old-89abcdef'));

      await writeShims(join(dir, 'shims'), plans, templates, how === 'with' ? launcher : undefined);

      expect(await asideIn()).toEqual(['dlv.exe.old-89abcdef']);
    },
  );

  it('leaves no launcher with an old policy where none is made', async () => {
    await letOneRun();

    expect(await writeShims(join(dir, 'shims'), plans, templates, undefined)).toEqual(['dlv', 'dlv.cmd']);

    expect((await readdir(join(dir, 'shims'))).filter((name) => /\.(exe|json)$/.test(name))).toEqual([]);
  });
});

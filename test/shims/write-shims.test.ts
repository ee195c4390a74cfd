import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Launcher } from '../../shims/build-launcher.ts';
import { planShims } from '../../shims/plan.ts';
import { writeShims } from '../../shims/write-shims.ts';
import { makeTempDir } from '../kit/house.ts';
import { templates } from './world.ts';

describe('shims over those of an earlier run', () => {
  let dir: string;
  let launcher: Launcher;
  const plans = planShims([{ tool: 'delve', command: 'dlv', packageId: undefined }], {});
  const names = ['dlv', 'dlv.cmd', 'dlv.exe', 'dlv.shim.json'];

  beforeEach(async () => {
    dir = await makeTempDir();
    const path = join(dir, 'launcher');
    await writeFile(path, 'new');
    launcher = { path, digest: { sha256: '', sha512: '', sizeBytes: 3 }, remove: async () => undefined };
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

  it('puts one aside that cannot be replaced', async () => {
    // a folder, as a program that runs on Windows, lets itself be renamed but not be written over
    await rm(join(dir, 'shims', 'dlv.exe'));
    await mkdir(join(dir, 'shims', 'dlv.exe'));

    await writeShims(join(dir, 'shims'), plans, templates, launcher);

    expect(await readFile(join(dir, 'shims', 'dlv.exe'), 'utf8')).toBe('new');
    expect((await readdir(join(dir, 'shims'))).sort()).toEqual([...names, 'dlv.exe.old'].sort());
  });
});

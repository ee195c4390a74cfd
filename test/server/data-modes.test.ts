import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeToOthers } from '../../server/data-modes.ts';
import { makeTempDir } from '../kit/house.ts';
import { isRoot } from '../kit/programs.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** A data folder of an earlier server, or of somebody who made it by hand. */
async function makeFolder(mode: number, files: Readonly<Record<string, number>>): Promise<string> {
  const dir = join(await makeTempDir(), 'data');
  mkdirSync(dir);
  for (const [name, fileMode] of Object.entries(files)) {
    writeFileSync(join(dir, name), '');
    chmodSync(join(dir, name), fileMode);
  }
  chmodSync(dir, mode);
  return dir;
}

describe.skipIf(process.platform === 'win32')('a data folder that others can look into', () => {
  it('is closed, with what holds secrets in it', async () => {
    const names = ['catalog.db', 'catalog.db-wal', 'start.key', 'server.json', 'lock'];
    const dir = await makeFolder(0o755, Object.fromEntries(names.map((name) => [name, 0o644])));

    const { closed, isShared } = closeToOthers(dir);

    expect(isShared).toBe(false);
    expect(closed).toEqual(expect.arrayContaining([dir, ...names.map((name) => join(dir, name))]));
    expect(modeOf(dir)).toBe('700');
    for (const name of names) expect(modeOf(join(dir, name))).toBe('600');
  });

  it.each([0o770, 0o701, 0o775, 0o777])('is closed when its mode is %o and it is empty', async (mode) => {
    const dir = await makeFolder(mode, {});

    expect(closeToOthers(dir).closed).toEqual([dir]);
    expect(modeOf(dir)).toBe('700');
  });

  it('is left as it is when it is closed already', async () => {
    const dir = await makeFolder(0o700, { 'catalog.db': 0o600 });

    expect(closeToOthers(dir)).toEqual({ closed: [], isShared: false });
  });

  it('keeps its mode when other things are in it, while what is ours is closed', async () => {
    const dir = await makeFolder(0o755, { 'notes.txt': 0o644, 'start.key': 0o644 });

    expect(closeToOthers(dir)).toEqual({ closed: [join(dir, 'start.key')], isShared: true });
    expect([modeOf(dir), modeOf(join(dir, 'notes.txt'))]).toEqual(['755', '644']);
  });

  it.each([0o775, 0o777, 0o1777])(
    'is refused when other things are in it and others may write (%o)',
    async (mode) => {
      const dir = await makeFolder(mode, { 'notes.txt': 0o644 });

      expect(() => closeToOthers(dir)).toThrow(
        expect.objectContaining({ code: 'DATA_DIR_OPEN', exitCode: 1 }),
      );
      expect(modeOf(dir)).toBe((mode & 0o777).toString(8));
    },
  );

  it('leaves alone what a link in it leads to', async () => {
    const dir = await makeFolder(0o700, {});
    const elsewhere = await makeFolder(0o755, { key: 0o644 });
    symlinkSync(join(elsewhere, 'key'), join(dir, 'start.key'));

    expect(closeToOthers(dir).closed).toEqual([]);
    expect(modeOf(join(elsewhere, 'key'))).toBe('644');
  });

  it.skipIf(!isRoot())('is refused when another user owns it (needs root)', async () => {
    const dir = await makeFolder(0o777, {});
    chownSync(dir, 1234, 1234);
    for (const above of [dirname(dir), dirname(dirname(dir))]) chmodSync(above, 0o711);
    const asUser = process.seteuid?.bind(process);
    asUser?.(4321);
    try {
      expect(() => closeToOthers(dir)).toThrow(
        expect.objectContaining({
          message: expect.stringContaining(`DATA_DIR to a new folder inside, such as ${dir}/feed`),
        }),
      );
    } finally {
      asUser?.(0);
    }
  });

  it('is not asked for its mode on Windows, which has none', async () => {
    const dir = await makeFolder(0o755, {});

    expect(closeToOthers(dir, 'win32')).toEqual({ closed: [], isShared: false });
    expect(modeOf(dir)).toBe('755');
  });
});

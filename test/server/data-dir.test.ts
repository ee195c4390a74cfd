import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataDir } from '../../server/data-dir.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

describe('data folder', () => {
  it('is created when it is missing', async () => {
    const dir = join(await makeTempDir(), 'new', 'data');

    const { database, release } = openDataDir(dir);

    expect(database).toBe(join(dir, 'catalog.db'));
    release();
  });

  it('is for one server at a time, and says which process has it', async () => {
    const dir = await makeTempDir();
    const first = openDataDir(dir);

    expect(() => openDataDir(dir)).toThrow(
      expect.objectContaining({
        code: 'DATA_DIR_IN_USE',
        exitCode: 1,
        message: expect.stringContaining(`process ${process.pid}`),
      }),
    );

    first.release();
    openDataDir(dir).release();
  });

  it('is free again after its process was killed', async () => {
    const dir = await makeTempDir();
    const script = `
      import { openDataDir } from ${JSON.stringify(new URL('../../server/data-dir.ts', import.meta.url).href)};
      openDataDir(${JSON.stringify(dir)});
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: productDir,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(() => openDataDir(dir)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`process ${child.pid}`) }),
    );

    child.kill('SIGKILL');
    await once(child, 'exit');

    openDataDir(dir).release();
  });

  it.skipIf(process.platform === 'win32')('is refused when it cannot be locked', async () => {
    const dir = await makeTempDir();
    writeFileSync(join(dir, 'lock'), '', { mode: 0o444 });

    asAnotherUser(dir, () => {
      expect(() => openDataDir(dir)).toThrow(
        expect.objectContaining({
          code: 'DATA_DIR_UNUSABLE',
          message: expect.stringContaining('the lock may not be written by this user'),
        }),
      );
    });

    chmodSync(join(dir, 'lock'), 0o644);
    openDataDir(dir).release();
  });

  it.skipIf(process.platform !== 'linux')(
    'is refused at once where a file system allows no new folders, which Node alone would try forever (needs /proc)',
    () => {
      expect(() => openDataDir('/proc/go-win-tools/data')).toThrow(
        expect.objectContaining({
          code: 'DATA_DIR_UNUSABLE',
          message: expect.stringContaining('/proc/go-win-tools/data'),
        }),
      );
    },
  );

  it('says why it cannot be written', async () => {
    const file = join(await makeTempDir(), 'file');
    writeFileSync(file, '');

    for (const dir of [file, join(file, 'below')]) {
      expect(() => openDataDir(dir)).toThrow(
        expect.objectContaining({
          code: 'DATA_DIR_UNUSABLE',
          message: expect.stringContaining('a file stands where a folder is needed'),
        }),
      );
    }
  });
});

/** Root may write whatever its mode forbids, so that root becomes somebody else who owns the folder but not what is in it. */
function asAnotherUser(dir: string, act: () => void): void {
  if (process.geteuid?.() !== 0) {
    act();
    return;
  }
  const somebody = 65_534;
  chownSync(dir, somebody, somebody);
  process.seteuid?.(somebody);
  try {
    act();
  } finally {
    process.seteuid?.(0);
  }
}

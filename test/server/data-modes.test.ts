import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataDir } from '../../server/data-dir.ts';
import { closeToOthers } from '../../server/data-modes.ts';
import { createCommand as createImport } from '../../server/verbs/import.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerb } from '../kit/operator-fixture.ts';
import { isRoot } from '../kit/programs.ts';
import { makeTempDir, startTestServer } from '../kit/test-server.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

const openIn = (dir: string): string[] =>
  ['.', ...readdirSync(dir)].filter((name) => (statSync(join(dir, name)).mode & 0o077) !== 0);

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

describe.skipIf(process.platform === 'win32')('a data folder that others can read', () => {
  it('is closed, together with the secrets in it', async () => {
    const names = ['catalog.db', 'catalog.db-wal', 'start.key', 'server.json', 'lock'];
    const dir = await makeFolder(0o755, Object.fromEntries(names.map((name) => [name, 0o644])));

    const { closed, isShared } = closeToOthers(dir);

    expect(isShared).toBe(false);
    expect(closed).toEqual(expect.arrayContaining([dir, ...names.map((name) => join(dir, name))]));
    expect(modeOf(dir)).toBe('700');
    for (const name of names) expect(modeOf(join(dir, name))).toBe('600');
  });

  it('is closed when a replica keeps its copies in it', async () => {
    const dir = await makeFolder(0o755, { lock: 0o600 });
    mkdirSync(join(dir, 'replica'), { mode: 0o755 });

    const { closed, isShared } = closeToOthers(dir);

    expect(isShared).toBe(false);
    expect(closed).toEqual([dir, join(dir, 'replica')]);
    expect([modeOf(dir), modeOf(join(dir, 'replica'))]).toEqual(['700', '700']);
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

  it('is closed without an alarm when the folder itself kept others out', async () => {
    const dir = await makeFolder(0o700, { 'catalog.db': 0o644, 'start.key': 0o640 });
    mkdirSync(join(dir, 'bucket'), { mode: 0o755 });

    expect(closeToOthers(dir)).toEqual({ closed: [], isShared: false });
    expect(['catalog.db', 'start.key', 'bucket'].map((name) => modeOf(join(dir, name)))).toEqual([
      '600',
      '600',
      '700',
    ]);
  });

  it('is closed from its first moment when a verb makes it', async () => {
    const packages = await makeTempDir();
    writeFileSync(join(packages, 'sample.nupkg'), makeNupkg({ id: 'sample', version: '1.0.0' }));
    const dir = join(await makeTempDir(), 'new');

    const { error } = await runVerb(createImport, dir, packages);

    expect(error).toBeUndefined();
    expect(openIn(dir)).toEqual([]);
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(['catalog.db', 'blobs', 'bucket']));
  });

  it('keeps its mode when it contains other things, while our files are closed', async () => {
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

  it('leaves the target of a link in it alone', async () => {
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

  it('keeps later files private, too', async () => {
    const dir = await makeFolder(0o755, { 'notes.txt': 0o644 });

    const testServer = await startTestServer({ dataDir: dir });
    const open = openIn(dir);
    await testServer.stop();

    expect(open).toEqual(['.', 'notes.txt']);
  });

  it('writes through no link that was placed in it', async () => {
    const dir = await makeFolder(0o777, {});
    const kept = join(await makeFolder(0o700, {}), 'kept');
    writeFileSync(kept, 'text');
    symlinkSync(kept, join(dir, `.write-${process.pid}`));

    openDataDir(dir).release();

    expect(readFileSync(kept, 'utf8')).toBe('text');
  });

  it('is not checked on Windows, which has no modes', async () => {
    const dir = await makeFolder(0o755, {});

    expect(closeToOthers(dir, 'win32')).toEqual({ closed: [], isShared: false });
    expect(modeOf(dir)).toBe('755');
  });
});

/** Root makes the folder; the server is a user with a group of its own. */
describe.skipIf(process.platform === 'win32' || !isRoot())(
  'a data folder of another user (needs root)',
  () => {
    const server = 4321;

    async function makeVolume(owner: number, group: number, mode: number): Promise<string> {
      const dir = await makeFolder(0o700, { 'catalog.db': 0o660, 'start.key': 0o660 });
      mkdirSync(join(dir, 'lost+found'), { mode: 0o700 });
      for (const name of ['catalog.db', 'start.key']) chownSync(join(dir, name), server, group);
      chownSync(dir, owner, group);
      chmodSync(dir, mode);
      for (const above of [dirname(dir), dirname(dirname(dir))]) chmodSync(above, 0o711);
      return dir;
    }

    /** Not in a worker thread, which has no user of its own. */
    function asServer<T>(call: () => T): T {
      process.setegid?.(server);
      process.seteuid?.(server);
      try {
        return call();
      } finally {
        process.seteuid?.(0);
        process.setegid?.(0);
      }
    }

    it('is a volume that Kubernetes made for our group (fsGroup): our files in it are closed', async () => {
      const dir = await makeVolume(0, server, 0o2775);

      const { closed, isShared } = asServer(() => closeToOthers(dir));

      expect(isShared).toBe(true);
      expect(closed.toSorted()).toEqual([join(dir, 'catalog.db'), join(dir, 'start.key')]);
      expect([modeOf(dir), modeOf(join(dir, 'catalog.db'))]).toEqual(['775', '600']);
    });

    it.each([
      { of: 'our group, but anybody may write', owner: 0, group: server, mode: 0o2777 },
      { of: 'another group', owner: 0, group: 1234, mode: 0o2777 },
      { of: 'another user', owner: 1234, group: server, mode: 0o2770 },
    ])('is refused when it is of $of', async ({ owner, group, mode }) => {
      const dir = await makeVolume(owner, group, mode);

      expect(() => asServer(() => closeToOthers(dir))).toThrow(
        expect.objectContaining({ code: 'DATA_DIR_OPEN' }),
      );
    });

    it('is refused when others put a file or a link of ours in it while it was open', async () => {
      const file = await makeVolume(server, server, 0o777);
      chownSync(join(file, 'catalog.db'), 1234, 1234);
      const link = await makeVolume(server, server, 0o777);
      symlinkSync(file, join(link, 'bucket'));
      lchownSync(join(link, 'bucket'), 1234, 1234);

      for (const dir of [file, link]) {
        expect(() => asServer(() => closeToOthers(dir))).toThrow(
          expect.objectContaining({ message: expect.stringContaining('it belongs to the user 1234') }),
        );
      }
    });
  },
);

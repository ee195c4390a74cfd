import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  cp,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { Header } from 'tar';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readTar, type TarFile, writeTar } from '../../../formats/tar.ts';
import { type BackupManifest, manifestName } from '../../../server/feed/backup-format.ts';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { createCommand as createRestore } from '../../../server/verbs/restore.ts';
import { swapFolders } from '../../../server/verbs/swap-folders.ts';
import { createGitClient } from '../../kit/git.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import { blobFile, contentOf, makeStockedDir, openBucketWork } from '../../kit/stocked-feed.ts';
import { makeTempDir, startTestServer } from '../../kit/test-server.ts';

/** One stocked data folder, which each test copies, and one backup of it. */
let root: string;
let stocked: string;
let saved: string;
let dir: string;
let count = 0;

beforeAll(async () => {
  root = await makeTempDir();
  stocked = await makeStockedDir(root);
  saved = join(root, 'saved.tar');
  const { error } = await runVerb(createBackup, stocked, saved);
  expect(error).toBeUndefined();
});
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
beforeEach(async () => {
  dir = join(root, `case-${++count}`);
  await mkdir(dir);
});

const backup = (dataDir: string, ...args: string[]): Promise<Said> => runVerb(createBackup, dataDir, ...args);
const restore = (dataDir: string, ...args: string[]): Promise<Said> =>
  runVerb(createRestore, dataDir, ...args);

/** The files of a backup with their bytes. */
async function unpack(file: string): Promise<{ path: string; bytes: Buffer }[]> {
  const bytes = await readFile(file);
  const found: { path: string; bytes: Buffer }[] = [];
  for await (const member of readTar(chunks(bytes)))
    found.push({ path: member.path, bytes: await buffer(member.bytes) });
  return found;
}
async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
async function pack(file: string, members: readonly { path: string; bytes: Buffer }[]): Promise<void> {
  const files: TarFile[] = members.map(({ path, bytes }) => ({
    path,
    sizeBytes: bytes.length,
    bytes: chunks(bytes),
  }));
  const tar: Uint8Array[] = [];
  for await (const chunk of writeTar(files, new Date(0))) tar.push(chunk);
  await writeFile(file, Buffer.concat(tar));
}
/** The backup with another manifest. */
async function withManifest(
  file: string,
  change: (manifest: Record<string, unknown>) => unknown,
): Promise<void> {
  const [first, ...rest] = await unpack(saved);
  const manifest = change(JSON.parse(String(first!.bytes)));
  await pack(file, [{ path: manifestName, bytes: Buffer.from(JSON.stringify(manifest)) }, ...rest]);
}

describe('feed:backup', () => {
  it('writes one private file with everything that rows name, nothing else, and no usable key', async () => {
    await writeFile(join(stocked, 'start.key'), 'secret');
    const server = await startTestServer({ dataDir: stocked });
    const file = join(dir, 'feed.tgz');

    const { stdout, error } = await backup(stocked, file, '--json');
    await server.stop();

    expect(error).toBeUndefined();
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      packages: 5,
      payloads: 1,
      keys: 1,
      blobs: 6,
      missing: [],
      isVerified: true,
    });
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
    const tar = gunzipSync(await readFile(file));
    await writeFile(join(dir, 'feed.tar'), tar);
    const members = await unpack(join(dir, 'feed.tar'));
    const manifest = JSON.parse(String(members[0]!.bytes)) as BackupManifest;
    expect(
      members.slice(1).map(({ path, bytes }) => [path, createHash('sha256').update(bytes).digest('hex')]),
    ).toEqual(manifest.members.map(({ path, sha256 }) => [path, sha256]));
    expect(members.slice(0, 3).map(({ path }) => path)).toEqual([
      manifestName,
      'bucket.bundle',
      'catalog.db',
    ]);
    expect(Object.keys(manifest.refs).sort()).toEqual([
      'refs/heads/beta',
      'refs/heads/main',
      'refs/tags/buf/v1.32.0',
    ]);
    expect(tar.includes(server.adminKey)).toBe(false);
    expect(await readdir(dir)).toEqual(['feed.tar', 'feed.tgz']);
  });

  it('leaves an existing file alone unless it may replace it', async () => {
    const file = join(dir, 'feed.tar');
    await writeFile(file, 'mine');

    const refused = await backup(stocked, file);
    const before = await readFile(file, 'utf8');
    const replaced = await backup(stocked, file, '--replace');

    expect(refused.error).toMatchObject({ code: 'FILE_EXISTS', exitCode: 1 });
    expect(before).toBe('mine');
    expect(replaced.error).toBeUndefined();
    expect((await unpack(file)).length).toBeGreaterThan(3);
  });

  it('clears away what a killed backup left', async () => {
    const file = join(dir, 'feed.tar');
    await mkdir(`${file}.part`);
    await writeFile(join(`${file}.part`, 'tar'), 'half');

    expect((await backup(stocked, file)).error).toBeUndefined();

    expect(await readdir(dir)).toEqual(['feed.tar']);
  });

  it('clears nothing away that is not its own', async () => {
    const file = join(dir, 'feed.tar');
    for (const place of [`${file}.part`, join(dir, 'data.restoring')]) {
      await mkdir(place);
      await writeFile(join(place, 'letter.txt'), 'mine');
    }

    const taken = await backup(stocked, file);
    const restored = await restore(join(dir, 'data'), saved);

    for (const { error } of [taken, restored])
      expect(error?.message).toContain('letter.txt in it is not ours');
    expect((await readdir(dir, { recursive: true })).sort()).toEqual([
      ...[
        'data.restoring',
        join('data.restoring', 'letter.txt'),
        'feed.tar.part',
        join('feed.tar.part', 'letter.txt'),
      ],
    ]);
  });

  it('ends with the name of a damaged blob and no file, or leaves it out on request', async () => {
    const data = join(dir, 'data');
    await cp(stocked, data, { recursive: true });
    const { blobs } = await contentOf(data);
    const [flipped = '', gone = ''] = Object.keys(blobs).sort();
    const bytes = await readFile(blobFile(data, flipped));
    bytes[20]! ^= 1;
    await writeFile(blobFile(data, flipped), bytes);
    await rm(blobFile(data, gone));
    const file = join(dir, 'feed.tar');

    const refused = await backup(data, file);
    const isLeft = existsSync(file);
    const taken = await backup(data, file, '--skip-damaged', '--json');

    expect(refused.error).toMatchObject({ code: 'BLOB_DAMAGED' });
    expect(refused.error?.message).toContain(flipped);
    expect(isLeft).toBe(false);
    expect(JSON.parse(taken.stdout)).toMatchObject({ blobs: 4, missing: [flipped, gone].sort() });
    const restored = await restore(join(dir, 'restored'), file);
    expect(restored.error).toBeUndefined();
    expect(restored.stderr).toContain('2 blobs were damaged');
  });

  it('says that there is no feed in an empty folder, and leaves it empty', async () => {
    const { error } = await backup(dir, join(root, 'none.tar'));

    expect(error).toMatchObject({ code: 'NO_FEED', exitCode: 1 });
    expect(await readdir(dir)).toEqual([]);
    expect(existsSync(join(root, 'none.tar'))).toBe(false);
  });

  it('writes no file of a database or a bucket that could not be restored', async () => {
    const data = join(dir, 'data');
    await cp(stocked, data, { recursive: true });
    const db = new Database(join(data, 'catalog.db'));
    db.exec("PRAGMA foreign_keys = OFF; DELETE FROM ids WHERE id_key = 'sample'");
    db.close();
    const file = join(dir, 'feed.tar');

    const { error } = await backup(data, file);

    expect(error).toMatchObject({ code: 'CATALOG_DAMAGED' });
    expect(existsSync(file)).toBe(false);
  });

  it('writes no file of a bucket with a damaged pack, which git would copy unchanged', async () => {
    const data = join(dir, 'data');
    await cp(stocked, data, { recursive: true });
    const repo = join(data, 'bucket', 'repo.git');
    const git = await createGitClient(dir);
    await git.run(repo, 'repack', '-adq');
    const packs = join(repo, 'objects', 'pack');
    const pack = join(packs, (await readdir(packs)).find((name) => name.endsWith('.pack'))!);
    const bytes = await readFile(pack);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    await chmod(pack, 0o600);
    await writeFile(pack, bytes);
    const file = join(dir, 'feed.tar');

    const { error } = await backup(data, file);

    expect(error).toMatchObject({ code: 'BUCKET_DAMAGED' });
    expect(existsSync(file)).toBe(false);
    expect((await backup(data, file, '--no-verify')).error).toBeUndefined();
    expect((await restore(join(dir, 'other'), file)).error).toMatchObject({ code: 'BACKUP_INVALID' });
  });

  it('reports a missing bucket', async () => {
    const data = join(dir, 'data');
    await cp(stocked, data, { recursive: true });
    await rm(join(data, 'bucket'), { recursive: true });

    expect((await backup(data, join(dir, 'feed.tar'))).error).toMatchObject({ code: 'BUCKET_BROKEN' });
  });
});

describe('feed:restore', () => {
  it('brings back every row, byte, flag, key and ref, and a server that goes on with them', async () => {
    const data = join(dir, 'data');

    const { error, stdout } = await restore(data, saved, '--json');

    expect(error).toBeUndefined();
    expect(JSON.parse(stdout)).toMatchObject({
      dir: data,
      movedTo: null,
      packages: 5,
      payloads: 1,
      keys: 1,
      wentBack: [],
    });
    if (process.platform !== 'win32') {
      for (const name of ['.', 'catalog.db', 'blobs', 'bucket'])
        expect((await stat(join(data, name))).mode & 0o077, name).toBe(0);
    }
    expect(await contentOf(data)).toEqual(await contentOf(stocked));
    const git = await createGitClient(dir);
    const refs = (repo: string): Promise<string> =>
      git.run(repo, 'for-each-ref', '--format=%(refname) %(objectname)');
    expect(await refs(join(data, 'bucket', 'repo.git'))).toBe(
      await refs(join(stocked, 'bucket', 'repo.git')),
    );
    const server = await startTestServer({ dataDir: data });
    try {
      const work = await openBucketWork(server, dir, 'work');
      await work.release('buf', '1.33.0');
      const clone = await git.clone(`${server.url}/git/beta/go-win-tools`, 'user');
      expect(JSON.parse(await readFile(join(clone, 'bucket', 'buf.json'), 'utf8')).version).toBe('1.33.0');
    } finally {
      await server.stop();
    }
  });

  it('refuses a folder that a server uses', async () => {
    const data = join(dir, 'data');
    const server = await startTestServer({ dataDir: data });

    const { error } = await restore(data, saved, '--replace');
    await server.stop();

    expect(error).toMatchObject({ code: 'DATA_DIR_IN_USE', exitCode: 1 });
    expect(await readdir(dir)).toEqual(['data']);
  });

  it('refuses a folder with data, and moves it aside as a whole on request', async () => {
    const data = join(dir, 'data');
    await mkdir(data);
    await writeFile(join(data, 'note.txt'), 'mine');

    const refused = await restore(data, saved);
    const left = await readdir(data);
    const replaced = await restore(data, saved, '--replace', '--json');

    expect(refused.error).toMatchObject({ code: 'RESTORE_OCCUPIED' });
    expect(left.filter((name) => !name.includes('lock'))).toEqual(['note.txt']);
    expect(replaced.error).toBeUndefined();
    const { movedTo } = JSON.parse(replaced.stdout) as { movedTo: string };
    expect(movedTo.startsWith(`${data}.before-`)).toBe(true);
    expect(await readFile(join(movedTo, 'note.txt'), 'utf8')).toBe('mine');
    expect(existsSync(join(data, 'note.txt'))).toBe(false);
    expect(existsSync(join(data, 'catalog.db'))).toBe(true);
  });

  it('moves no folder aside that has a data folder in it', async () => {
    const data = join(dir, 'feed', 'data');
    const server = await startTestServer({ dataDir: data });

    const { error } = await restore(join(dir, 'feed'), saved, '--replace');
    await server.stop();

    expect(error).toMatchObject({ code: 'RESTORE_PLACE', exitCode: 1 });
    expect(error?.message).toContain('data folder in it: data');
    expect(await readdir(dir)).toEqual(['feed']);
    expect(existsSync(join(data, 'catalog.db'))).toBe(true);
  });

  it('puts the old folder back when the new one cannot take its place', async () => {
    const data = join(dir, 'data');
    await mkdir(data);
    await writeFile(join(data, 'note.txt'), 'mine');

    const { error } = await swapFolders(data, join(dir, 'not-there'), `${data}.before`).then(
      () => ({ error: undefined }),
      (thrown: Error) => ({ error: thrown }),
    );

    expect(error).toMatchObject({ code: 'FILE_UNUSABLE' });
    expect(await readdir(dir)).toEqual(['data']);
    expect(await readFile(join(data, 'note.txt'), 'utf8')).toBe('mine');
  });

  it('names the branches that would go back, changes nothing, and goes on only when that is accepted', async () => {
    const data = join(dir, 'data');
    await cp(stocked, data, { recursive: true });
    const server = await startTestServer({ dataDir: data });
    await (await openBucketWork(server, dir, 'work')).release('buf', '1.33.0');
    await server.stop();
    const before = await contentOf(data);

    const refused = await restore(data, saved, '--replace');
    const after = await contentOf(data);
    const accepted = await restore(data, saved, '--replace', '--accept-older-bucket', '--json');

    expect(refused.error).toMatchObject({ code: 'RESTORE_BACKWARD', exitCode: 1 });
    for (const ref of ['refs/heads/beta', 'refs/heads/main', 'refs/tags/buf/v1.33.0']) {
      expect(refused.error?.message).toContain(ref);
    }
    expect(refused.error?.message).not.toContain('v1.32.0');
    expect(after).toEqual(before);
    expect(accepted.error).toBeUndefined();
    expect(JSON.parse(accepted.stdout).wentBack).toHaveLength(3);
    expect(await contentOf(data)).toEqual(await contentOf(stocked));
  });

  it('replaces an older bucket without a question', async () => {
    const data = join(dir, 'data');
    await (await startTestServer({ dataDir: data })).stop();

    const { error, stdout } = await restore(data, saved, '--replace', '--json');

    expect(error).toBeUndefined();
    expect(JSON.parse(stdout).wentBack).toEqual([]);
  });

  it('removes what a killed restore left next to the folder', async () => {
    const data = join(dir, 'data');
    await mkdir(join(`${data}.restoring`, 'blobs'), { recursive: true });

    expect((await restore(data, saved)).error).toBeUndefined();

    expect(await readdir(dir)).toEqual(['data']);
  });

  const hostile: Readonly<Record<string, (file: string) => Promise<void>>> = {
    'a file of text': (file) => writeFile(file, 'no tar'.repeat(1000)),
    'an empty file': (file) => writeFile(file, ''),
    'a backup that is cut off': async (file) => {
      await cp(saved, file);
      await truncate(file, (await stat(saved)).size - 3000);
    },
    'a flipped byte in a blob': async (file) => {
      const members = await unpack(saved);
      members.at(-1)!.bytes[5]! ^= 1;
      await pack(file, members);
    },
    'a flipped byte in the database': async (file) => {
      const members = await unpack(saved);
      members[2]!.bytes[5000]! ^= 1;
      await pack(file, members);
    },
    'a file too much': async (file) => {
      await pack(file, [...(await unpack(saved)), { path: 'evil', bytes: Buffer.from('x') }]);
    },
    'a file twice': async (file) => {
      const members = await unpack(saved);
      await pack(file, [...members, members[1]!]);
    },
    'a file less': async (file) => pack(file, (await unpack(saved)).slice(0, -1)),
    'a way out of the folder in the manifest': (file) =>
      withManifest(file, (manifest) => {
        const members = manifest.members as { path: string }[];
        return {
          ...manifest,
          members: [...members, { path: '../evil', sha256: 'a'.repeat(64), sizeBytes: 1 }],
        };
      }),
    'a manifest that names a file twice': (file) =>
      withManifest(file, (manifest) => {
        const members = manifest.members as { path: string }[];
        return { ...manifest, members: [...members, members[0]] };
      }),
    'a blob under another name': (file) =>
      withManifest(file, (manifest) => {
        const members = manifest.members as { path: string; sha256: string }[];
        return {
          ...manifest,
          members: members.map((one, at) => (at === 3 ? { ...one, sha256: 'b'.repeat(64) } : one)),
        };
      }),
    'other refs than the bundle has': (file) =>
      withManifest(file, (manifest) => ({ ...manifest, refs: { 'refs/heads/main': 'a'.repeat(40) } })),
    'a link': async (file) => {
      const link = new Header({
        path: manifestName,
        linkpath: '/etc/passwd',
        type: 'SymbolicLink',
        size: 0,
        mode: 0o777,
      });
      link.encode();
      await writeFile(file, Buffer.concat([link.block!, Buffer.alloc(1024)]));
    },
    'a size that is none': async (file) => {
      const header = new Header({ path: manifestName, type: 'File', size: 8 * 1024 ** 4, mode: 0o600 });
      header.encode();
      await writeFile(file, Buffer.concat([header.block!, Buffer.alloc(1024)]));
    },
    'a manifest that is no JSON': (file) => pack(file, [{ path: manifestName, bytes: Buffer.from('{') }]),
  };
  it.each(Object.entries(hostile))('refuses %s, and changes nothing', async (_name, make) => {
    const file = join(dir, 'hostile.tar');
    await make(file);
    const data = join(dir, 'data');

    const { error } = await restore(data, file);

    expect(error).toMatchObject({ code: 'BACKUP_INVALID', exitCode: 1 });
    expect(await readdir(dir)).toEqual(['hostile.tar']);
  });

  it('names the program that can read a newer format', async () => {
    const file = join(dir, 'newer.tar');
    await withManifest(file, (manifest) => ({ ...manifest, format: 7, program: '9.1.0', colour: 'new' }));

    const { error } = await restore(join(dir, 'data'), file);

    expect(error).toMatchObject({ code: 'BACKUP_NEWER' });
    expect(error?.message).toContain('go-win-tools 9.1.0');
  });

  it('reports a missing file', async () => {
    const { error } = await restore(join(dir, 'data'), join(dir, 'nothing.tar'));

    expect(error).toMatchObject({ code: 'FILE_MISSING', exitCode: 2 });
    expect(await readdir(dir)).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('follows a data folder that is a link', async () => {
    await mkdir(join(dir, 'real'));
    await symlink(join(dir, 'real'), join(dir, 'data'));

    const { error } = await restore(join(dir, 'data'), saved);

    expect(error).toBeUndefined();
    expect(existsSync(join(dir, 'real', 'catalog.db'))).toBe(true);
    expect(await realpath(join(dir, 'data'))).toBe(await realpath(join(dir, 'real')));
  });
});

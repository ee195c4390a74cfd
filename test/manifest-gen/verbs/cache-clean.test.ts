import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCache } from '../../../system/cache/cache.ts';
import { claimCache, leaveCache } from '../../../system/cache/claim-cache.ts';
import { type Generator, makeGenerator, type VerbResult } from '../../kit/generator.ts';
import { mainJs } from '../../kit/main-js.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
const hex = 'a'.repeat(64);
const other = 'b'.repeat(64);

let generator: Generator;
let cacheDir: string;

beforeEach(async () => {
  generator = await makeGenerator({});
  cacheDir = join(generator.dir, 'cache');
  // what Go compiled is in there, for all tests
  await rm(cacheDir, { recursive: true });
});
afterEach(() => generator.stop());

describe('cache:clean', () => {
  it('empties the cache, and says how much that was', async () => {
    await put(`downloads/sha256/${hex}/dlv.zip`, 2_000_000);
    await put('go/mod/cache/download/example.com/tool/@v/v1.0.0.zip', 1_000_000);
    await put('npm/package.json', 100);
    await claimCache(cacheDir);

    const { exitCode, stdout } = await clean();

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^downloads\/sha256 +2\.0 MB +0\.0 MB$/m);
    expect(stdout).toContain(`Freed 3.0 MB in ${cacheDir}, and kept 0.0 MB.`);
    expect(await readdir(cacheDir)).toEqual([]);
    expect((await clean()).stdout).toBe(`The cache ${cacheDir} is empty.\n`);
  });

  it("removes Go's read-only folders as a user without special rights", async () => {
    await put('go/mod/example.com/tool@v1.0.0/inner/tool.go', 10);
    for (const dir of ['go/mod/example.com/tool@v1.0.0/inner', 'go/mod/example.com/tool@v1.0.0']) {
      await chmod(join(cacheDir, dir, ...(dir.endsWith('inner') ? ['tool.go'] : [])), 0o444 | 0o111);
      await chmod(join(cacheDir, dir), 0o555);
    }

    const { code, stderr } = await cleanAsNobody();

    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('keeps with --older-than what was used since, and takes modules of Go whole', async () => {
    const old = [
      `downloads/sha256/${hex}/dlv.zip`,
      'go/build/0a/one-d',
      'go/mod/example.com/old@v1.0.0/tool.go',
      'go/mod/example.com/old@v1.0.0/inner/more.go',
      'go/mod/cache/download/example.com/old/@v/v1.0.0.zip',
      'go/mod/cache/vcs/0a/HEAD',
    ];
    const young = [
      `downloads/sha256/${other}/dlv.zip`,
      'go/build/0a/two-d',
      'go/mod/example.com/mixed@v1.0.0/young.go',
    ];
    const kept = 'go/mod/example.com/mixed@v1.0.0/old.go';
    for (const path of [...old, ...young, kept]) await put(path, 10);
    for (const path of [...old, kept]) await age(path, 31);
    for (const path of young) await age(path, 29);

    const { exitCode, stdout } = await clean('--older-than', '30d', '--json');

    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      event: 'cleaned',
      isDryRun: false,
      dir: cacheDir,
      removed: { items: 5, bytes: 60 },
      kept: { items: 3, bytes: 40 },
    });
    const files = (await readdir(cacheDir, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(cacheDir.length + 1));
    expect(files.sort()).toEqual([...young, kept].sort());
  });

  it('counts the use of existing files by a release', async () => {
    await put(`downloads/sha256/${hex}/dlv.zip`, 10);
    await age(`downloads/sha256/${hex}/dlv.zip`, 31);
    await createCache(cacheDir).download({ sha256: hex });

    await clean('--older-than', '30d');

    expect(await readdir(join(cacheDir, 'downloads', 'sha256', hex))).toEqual(['dlv.zip']);
  });

  it('removes nothing with --dry-run', async () => {
    await put(`built/${hex}/dlv.exe`, 1_000_000);

    const { exitCode, stdout } = await clean('--dry-run');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('Would free 1.0 MB');
    expect(await readdir(join(cacheDir, 'built', hex))).toEqual(['dlv.exe']);
  });

  it('removes links and leaves what they lead to', async () => {
    const outside = await makeTempDir();
    await writeFile(join(outside, 'precious'), 'precious');
    await mkdir(join(cacheDir, 'downloads'), { recursive: true });
    await symlink(outside, join(cacheDir, 'downloads', 'sha256'));
    await symlink(outside, join(cacheDir, 'built'));
    await put('unpacked/x/dlv.exe', 10);
    await symlink(outside, join(cacheDir, 'unpacked', 'x', 'link'));

    expect(await clean('--older-than', '0s')).toMatchObject({ exitCode: 0 });
    expect(await clean()).toMatchObject({ exitCode: 0 });

    expect(await readdir(cacheDir)).toEqual([]);
    expect(await readFile(join(outside, 'precious'), 'utf8')).toBe('precious');
    await rm(outside, { recursive: true });
  });

  it.each([
    [
      'a folder with other things in it',
      { 'letters/to-mother.txt': 1, [`built/${hex}/dlv.exe`]: 1 },
      'letters',
    ],
    ["Go's own workspace", { 'go/src/mine.go': 1, 'go/bin/dlv': 1 }, 'go/bin, go/src'],
  ])('refuses %s', async (_, files, found) => {
    for (const path of Object.keys(files)) await put(path, 1);

    const { exitCode, stderr } = await clean();

    expect(exitCode).toBe(2);
    expect(stderr).toContain(`found ${found} in it, too`);
    for (const path of Object.keys(files)) expect((await stat(join(cacheDir, path))).size).toBe(1);
  });

  it.each([
    ['/', 'the root'],
    ['.', 'its home'],
    ['..', 'what is above it'],
  ])('refuses %s: %s', async (dir) => {
    const { exitCode, stderr } = await generator.run('cache:clean', [], { env: { CACHE_DIR: dir } });

    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^CACHE_DIR .* cannot be emptied: expected a folder with nothing but the cache/);
  });

  it('leaves a cache alone that a run uses, and forgets runs that were killed', async () => {
    await put(`built/${hex}/dlv.exe`, 1);
    const user = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await put(`in-use/${user.pid}`, 0);
    try {
      expect(await clean()).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`process ${user.pid}`),
      });
      expect(await readdir(join(cacheDir, 'built', hex))).toEqual(['dlv.exe']);
    } finally {
      user.kill();
      await once(user, 'exit');
    }

    expect(await clean()).toMatchObject({ exitCode: 0 });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('has nothing to do without a cache', async () => {
    expect(await clean()).toMatchObject({ exitCode: 0, stdout: `The cache ${cacheDir} is empty.\n` });
  });

  it.each(['30', 'soon', '-1d'])('does not know the age %s', async (age) => {
    expect(await clean('--older-than', age)).toMatchObject({ exitCode: 2 });
  });
});

describe('a run that uses the cache', () => {
  it('tags it for backup programs, where it is a cache and nothing else', async () => {
    await createCache(cacheDir, () => claimCache(cacheDir)).npm();

    expect(await readFile(join(cacheDir, 'CACHEDIR.TAG'), 'utf8')).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
    expect(await readdir(join(cacheDir, 'in-use'))).toEqual([String(process.pid)]);

    await leaveCache(cacheDir);
    expect(await readdir(join(cacheDir, 'in-use'))).toEqual([]);
  });

  it("puts no tag into somebody's own folder", async () => {
    await put('letters.txt', 1);

    await createCache(cacheDir, () => claimCache(cacheDir)).npm();

    expect((await readdir(cacheDir)).sort()).toEqual(['in-use', 'letters.txt', 'npm']);
  });
});

function clean(...args: string[]): Promise<VerbResult> {
  return generator.run('cache:clean', args);
}

async function put(path: string, bytes: number): Promise<void> {
  await mkdir(dirname(join(cacheDir, path)), { recursive: true });
  await writeFile(join(cacheDir, path), Buffer.alloc(bytes));
}

/** As it looks when nothing has touched the file or its folder since. */
async function age(path: string, days: number): Promise<void> {
  await utimes(join(cacheDir, path), daysAgo(days), daysAgo(days));
  await utimes(dirname(join(cacheDir, path)), daysAgo(days), daysAgo(days));
}

/** Root may write everywhere, so it becomes somebody else. */
async function cleanAsNobody(): Promise<{ code: number | null; stderr: string }> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    for (const entry of ['.', ...(await readdir(generator.dir, { recursive: true }))])
      await chown(join(generator.dir, entry), 65_534, 65_534);
  }
  const child = spawn(process.execPath, [mainJs, 'cache:clean'], {
    cwd: productDir,
    env: { ...generator.env, TMPDIR: generator.dir },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, stderr };
}

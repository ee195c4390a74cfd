import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where Linux keeps files in memory. */
const memory = '/dev/shm';
const neededBytes = 8 * 1024 ** 3;
const prefix = 'go-win-tools-tests-';
const hour = 3_600_000;

/**
 * Gives the whole run a temporary folder of its own, gone at its end: tests make many folders, some die before they could
 * clean up, and nobody else should find them. Files of gigabytes go into a second one, on the disk (kit/use-disk.ts). The cache of
 * real builds stays where it is (kit/test-cache.ts).
 */
export default async function useOwnTemp(): Promise<() => Promise<void>> {
  process.env.GO_WIN_TOOLS_TEST_CACHE ??= join(tmpdir(), 'go-win-tools-test-cache');
  // Where kit/go-builds.ts has it; and a compiler that seldom collects garbage needs a fifth less time.
  process.env.GOCACHE = join(process.env.GO_WIN_TOOLS_TEST_CACHE, 'go', 'build');
  process.env.GOGC ??= '400';
  // As the product builds: with C, half of Go's own packages would be compiled a second time.
  process.env.CGO_ENABLED ??= '0';
  const disk = await makeFolder(tmpdir());
  const usual = (await inMemory()) ?? disk;
  process.env.GO_WIN_TOOLS_TEST_DISK = disk;
  process.env.GO_WIN_TOOLS_TEST_TEMP = usual;
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = usual;
  return async () => {
    for (const dir of [usual, disk]) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
}

/**
 * A folder in memory, where there is much of it and programs can run from there: a quarter of the processor time of flows goes into
 * making files on a disk. Each test proves the same there; none of them cuts the power.
 */
async function inMemory(): Promise<string | undefined> {
  await removeForgotten();
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => Math.min(bavail * bsize, freemem(), process.constrainedMemory() || Infinity),
    () => 0,
  );
  if (free < neededBytes) return undefined;
  const dir = await makeFolder(memory).catch(() => undefined);
  if (dir === undefined) return undefined;
  const program = join(dir, 'program');
  try {
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
    await promisify(execFile)(program);
    await rm(program);
    return dir;
  } catch {
    await rm(dir, { recursive: true, force: true });
    return undefined;
  }
}

/** What a run that was killed has left behind keeps memory; a run that goes on makes folders in its own all the time. */
async function removeForgotten(): Promise<void> {
  const names = await readdir(memory).catch(() => []);
  for (const dir of names.filter((name) => name.startsWith(prefix)).map((name) => join(memory, name))) {
    const since = await stat(dir).catch(() => undefined);
    if (since !== undefined && since.mtimeMs < Date.now() - hour) {
      await rm(dir, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function makeFolder(parent: string): Promise<string> {
  const dir = await mkdtemp(join(parent, prefix));
  // Tests that become another user must get through to the folders that they made for it.
  await chmod(dir, 0o711);
  return dir;
}

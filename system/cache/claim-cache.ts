import { existsSync, rmSync } from 'node:fs';
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDir } from '../../formats/make-dir.ts';
import { ownNames, tagFile, useFolder } from './layout.ts';

/** https://bford.info/cachedir/: backup programs leave out a folder with this file. */
const tag = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is the cache of go-win-tools; \`cache:clean\` empties it.
`;

/**
 * Says that the folder is a cache and that this process uses it, until it ends. A folder with other things in it gets no tag: it
 * is somebody's own folder.
 * @throws the errors of the file system
 */
export async function claimCache(rootDir: string): Promise<void> {
  const folder = join(rootDir, useFolder);
  const isNew = !existsSync(rootDir);
  await makeDir(folder);
  // builds come from here, and Go does not check all of it again: nobody else may write there
  if (isNew) await chmod(rootDir, 0o700);
  if ((await foreignIn(rootDir)).length === 0) await writeFile(join(rootDir, tagFile), tag);
  const mark = markOf(rootDir);
  await writeFile(mark, '');
  if (marks.size === 0) process.once('exit', removeMarks);
  marks.add(mark);
}

/** Of this process; one listener for all, since Node warns of more than ten. */
const marks = new Set<string>();
const removeMarks = (): void => {
  for (const mark of marks) rmSync(mark, { force: true });
};

/** For a process that goes on without it, as the server of `start` does. */
export async function leaveCache(rootDir: string): Promise<void> {
  const mark = markOf(rootDir);
  await rm(mark, { force: true });
  marks.delete(mark);
  if (marks.size === 0) process.removeListener('exit', removeMarks);
}

function markOf(rootDir: string): string {
  return join(rootDir, useFolder, String(process.pid));
}

/** What is in the folder, or in one of its folders, that no release made. */
export async function foreignIn(rootDir: string): Promise<readonly string[]> {
  const foreign: string[] = [];
  for (const [folder, own] of ownNames) {
    const names = await readdir(join(rootDir, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && folder !== '') return [];
      throw error;
    });
    foreign.push(...names.filter((name) => !own.has(name)).map((name) => `${folder}${name}`));
  }
  return foreign.sort();
}

/** The processes of this machine that use it now; marks of those that were killed are removed. */
export async function usersOf(rootDir: string): Promise<readonly number[]> {
  const folder = join(rootDir, useFolder);
  const marks = await readdir(folder).catch(() => []);
  const users: number[] = [];
  for (const mark of marks.filter((name) => /^\d+$/.test(name))) {
    if (isAlive(Number(mark))) users.push(Number(mark));
    else await rm(join(folder, mark), { force: true });
  }
  return users.filter((pid) => pid !== process.pid);
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // another user's process is one, too
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

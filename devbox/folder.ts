import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../errors/release-error.ts';
import { makeWhole } from '../formats/whole-file.ts';
import { type FileState, judgeFile } from './judge-file.ts';
import type { Files } from './render.ts';

/** Larger than any file of the templates; what is larger is a person's. */
const maxBytes = 1024 * 1024;

/**
 * The text of a file of the repository; undefined where there is none. What is not a plain file, or lies behind a link, is never
 * written over.
 * @throws ReleaseError DEVBOX_DIR
 */
export async function readFileIn(dir: string, path: string): Promise<string | 'other' | undefined> {
  let at = dir;
  const steps = path.split('/');
  for (const [index, step] of steps.entries()) {
    at = join(at, step);
    const found = await lstat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      return fail('DEVBOX_DIR', { dir, cause: error.message }, error);
    });
    if (found === undefined) return undefined;
    const isLast = index === steps.length - 1;
    if (isLast ? !found.isFile() || found.size > maxBytes : !found.isDirectory()) return 'other';
  }
  return readFile(at, 'utf8');
}

export type JudgedFile = { readonly path: string; readonly text: string; readonly state: FileState };

/** What to do with each file. @param last the digest of what was written last, by path */
export async function judgeFiles(
  dir: string,
  files: Files,
  last: Readonly<Record<string, string>>,
): Promise<readonly JudgedFile[]> {
  const judged: JudgedFile[] = [];
  for (const [path, text] of files) {
    const present = await readFileIn(dir, path);
    const state = present === 'other' ? 'blocked' : judgeFile(text, present, last[path]);
    judged.push({ path, text, state });
  }
  return judged.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whole or not at all, with its folders; never through a link. @throws ReleaseError DEVBOX_DIR */
export async function writeFileIn(dir: string, path: string, text: string): Promise<void> {
  if ((await readFileIn(dir, path)) === 'other')
    fail('DEVBOX_DIR', { dir, cause: `${path} is not a plain file, or behind a link` });
  const file = join(dir, ...path.split('/'));
  try {
    await mkdir(dirname(file), { recursive: true });
    await makeWhole(file, (part) => writeFile(part, text));
  } catch (error) {
    fail('DEVBOX_DIR', { dir, cause: (error as Error).message }, error);
  }
}

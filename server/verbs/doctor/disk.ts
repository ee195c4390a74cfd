import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printBytes } from '../print.ts';
import { type Check, type Finding, failed, ok, skip, warn } from './check.ts';

const mebibyte = 1024 ** 2;
/** A package of usual size, its index and the log of the database. */
const failBytes = 256 * mebibyte;
const warnBytes = 2048 * mebibyte;
/** What is written: small enough for any disk that is of use, too much for one that is full. */
const probeBytes = mebibyte;

/** Whether what is pushed has room. */
export const disk: Check = {
  name: 'disk',
  async look({ config: { dataDir } }) {
    return existsSync(dataDir) ? lookAt(dataDir, 'the data folder') : skip(`${dataDir} is not there`);
  },
};

/** Where uploads of verbs, backups and copies begin. */
export const temp: Check = { name: 'temp', look: () => lookAt(tmpdir(), 'the folder for temporary files') };

async function lookAt(dir: string, what: string): Promise<Finding> {
  const problem = await tryWriting(dir);
  const { bavail, bsize } = await statfs(dir);
  return judgeDisk({ dir, what, freeBytes: bavail * bsize, problem });
}

export type DiskFacts = {
  readonly dir: string;
  readonly what: string;
  readonly freeBytes: number;
  /** The code of the error when something was written. */
  readonly problem: string | undefined;
};

export function judgeDisk({ dir, what, freeBytes, problem }: DiskFacts): Finding {
  const where = `${what} (${dir})`;
  const free = `${printBytes(freeBytes)} are free`;
  const todo =
    'free some space or enlarge the disk (docs/operate/limits.md); pushes are refused when it is full';
  if (problem !== undefined && /^(ENOSPC|EDQUOT)$/.test(problem))
    return failed(`the disk of ${where} is full: nothing can be written, ${free}`, todo);
  if (problem !== undefined)
    return failed(
      `nothing can be written to ${where}: ${problem}`,
      'run the doctor as the user of the server; give that user the folder, on a disk that is not read-only',
    );
  if (freeBytes < failBytes) return failed(`the disk of ${where} is nearly full: ${free}`, todo);
  return freeBytes < warnBytes
    ? warn(`${free} for ${where}`, todo)
    : ok(`${free} for ${where}, which can be written`);
}

/** With a name that nobody can guess, as the server itself does at its start. */
async function tryWriting(dir: string): Promise<string | undefined> {
  const path = join(dir, `.write-${randomUUID()}`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.alloc(probeBytes, 1));
      await file.sync();
    } finally {
      await file.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    await rm(path, { force: true });
  }
}

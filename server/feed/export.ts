import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { digestFile } from '../../formats/digest.ts';
import { hashing } from '../../formats/tar.ts';
import type { BlobReader } from '../blobs/blob-store.ts';
import { fail } from '../errors.ts';
import type { ExportFile } from './export-plan.ts';

export type ExportOptions = {
  /** A folder in `dir` for incomplete files. */
  readonly part: string;
  /** SHA-256 by path of an earlier export into the folder: such files may be replaced. */
  readonly earlier: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
};

export type ExportResult = {
  readonly written: number;
  readonly kept: number;
  readonly damaged: readonly { readonly path: string; readonly problem: string }[];
};

const parallel = 8;

/**
 * Writes the files into the folder, each completely or not at all. An existing file with the same bytes is kept.
 * @throws FeedError EXPORT_FOREIGN before anything is written when somebody else's file is in the way
 */
export async function exportFiles(
  dir: string,
  files: readonly ExportFile[],
  blobs: BlobReader,
  options: ExportOptions,
): Promise<ExportResult> {
  const missing: ExportFile[] = [];
  for (const file of files) {
    options.signal.throwIfAborted();
    if (!(await isKept(dir, file, options.earlier))) missing.push(file);
    else options.onProgress(file.sizeBytes);
  }
  const damaged: { path: string; problem: string }[] = [];
  const waiting = missing.entries();
  let hasFailed = false;
  async function work(): Promise<void> {
    for (const [at, file] of waiting) {
      if (hasFailed) return;
      const part = join(options.part, String(at));
      const problem = await writeFile(dir, file, blobs, part, options).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
      if (problem !== undefined) damaged.push({ path: file.path, problem });
    }
  }
  // Waits for all of them: removing incomplete files must not interfere with one that still writes.
  const ends = await Promise.allSettled(Array.from({ length: parallel }, work));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { written: missing.length - damaged.length, kept: files.length - missing.length, damaged };
}

async function isKept(dir: string, file: ExportFile, earlier: ReadonlyMap<string, string>): Promise<boolean> {
  const path = join(dir, ...file.path.split('/'));
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (!found.isFile()) return fail('EXPORT_FOREIGN', { path });
  const { sha256 } = await digestFile(path);
  if (sha256 === file.sha256) return true;
  return earlier.get(file.path) === sha256 ? false : fail('EXPORT_FOREIGN', { path });
}

/** Returns what is wrong with the stored bytes; then the file is not written. */
async function writeFile(
  dir: string,
  { path, sha256, sizeBytes, time }: ExportFile,
  blobs: BlobReader,
  part: string,
  { signal, onProgress }: ExportOptions,
): Promise<string | undefined> {
  const source = await blobs.open(sha256).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (source === undefined) return 'its bytes are missing';
  let found = '';
  const digest = hashing(source, (hex) => {
    found = hex;
  });
  await pipeline(digest, createWriteStream(part, { flags: 'wx', flush: true }), { signal });
  if (found !== sha256) {
    await rm(part);
    return `its SHA-256 is ${found} instead of ${sha256}`;
  }
  await utimes(part, time, time);
  const target = join(dir, ...path.split('/'));
  await mkdir(dirname(target), { recursive: true });
  await rename(part, target);
  onProgress(sizeBytes);
  return undefined;
}

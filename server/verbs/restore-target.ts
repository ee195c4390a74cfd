import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail } from '../errors.ts';
import { syncFolder } from '../feed/restore.ts';
import { replaceContents, swapFolders } from './swap-folders.ts';

/** Where a restored data folder is put. */
type Place = {
  /** The folder in which the backup is unpacked; leftovers of a killed restore are removed. */
  readonly staging: string;
  /** Returns where the old data was moved. */
  putInPlace(release: () => void): Promise<string | undefined>;
};

/** @throws FeedError RESTORE_OCCUPIED, RESTORE_PLACE */
export async function chooseTarget(dir: string, mayReplace: boolean): Promise<Place> {
  const found = ((await namesIn(dir)) ?? []).filter((name) => !isOfLock(name));
  const isHalf =
    found.includes(inside) && found.every((name) => name === inside || name === 'blobs' || name === 'bucket');
  const hasData = found.length > 0 && !isHalf;
  const isMount = (await stat(dir)).dev !== (await stat(dirname(dir))).dev;
  if (hasData && !mayReplace) return fail('RESTORE_OCCUPIED', { dir });
  const staging = `${dir}.restoring`;
  if (!isMount && !hasData) return { staging, putInPlace: (release) => replaceEmpty(dir, staging, release) };
  if (!isMount) {
    await requireNoneInside(dir, found);
    return { staging, putInPlace: (release) => replaceData(dir, staging, release) };
  }
  // A container's volume cannot be replaced, but an empty one can be filled.
  if (hasData) return fail('RESTORE_PLACE', { dir, cause: 'it is a mounted volume' });
  for (const name of parts) await rm(join(dir, name), { recursive: true, force: true });
  return { staging: join(dir, inside), putInPlace: () => fill(dir) };
}

const inside = '.restoring';
/** The database comes last, so that a half-restored folder never looks complete. */
const parts = ['blobs', 'bucket', 'catalog.db'] as const;

/** A data folder inside may belong to another server, whose lock was not checked. @throws FeedError RESTORE_PLACE */
async function requireNoneInside(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const isDataDir = (await stat(join(dir, name, 'catalog.db')).catch(() => undefined)) !== undefined;
    if (isDataDir) fail('RESTORE_PLACE', { dir, cause: `there is a data folder in it: ${name}` });
  }
}

async function replaceData(dir: string, staging: string, release: () => void): Promise<string> {
  const aside = `${dir}.before-${timestamp()}`;
  // Windows cannot move a folder that contains an open file.
  if (process.platform === 'win32') release();
  await swapFolders(dir, staging, aside);
  return aside;
}

async function replaceEmpty(dir: string, staging: string, release: () => void): Promise<undefined> {
  release();
  const ours = ((await namesIn(dir)) ?? []).filter(isOfLock);
  await replaceContents(dir, staging, [...ours, inside, 'blobs', 'bucket']);
}

async function fill(dir: string): Promise<undefined> {
  for (const name of parts) await rename(join(dir, inside, name), join(dir, name));
  await syncFolder(dir);
}

function isOfLock(name: string): boolean {
  return /^(lock(\.pid|-journal)?|reading\.lock(-journal)?)$/.test(basename(name));
}

/** Undefined when there is no such folder. */
export async function namesIn(dir: string): Promise<string[] | undefined> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `20261124T115943Z`, which is valid in a Windows file name. */
/** To the millisecond: two restores may happen within a second. */
function timestamp(): string {
  return new Date().toISOString().replace(/[-:.]/g, '');
}

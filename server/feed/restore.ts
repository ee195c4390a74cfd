import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { fileReason } from '../../formats/file-reason.ts';
import { hashing, readTar, TarError, type TarFile } from '../../formats/tar.ts';
import type { BlobReader } from '../blobs/blob-store.ts';
import type { CatalogSnapshot } from '../catalog/snapshot.ts';
import { FeedError, fail } from '../errors.ts';
import {
  type BackupManifest,
  type BackupMember,
  manifestName,
  maxManifestBytes,
  readManifest,
} from './backup-format.ts';

export type ReadOptions = {
  /** Called before anything else is read; throws to refuse the backup. */
  readonly onManifest?: (manifest: BackupManifest) => Promise<void>;
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
};

/**
 * Reads a whole backup and checks every digest. With `dir`, a new folder, also writes its files there (durable after `syncTree`).
 * @throws FeedError BACKUP_INVALID, BACKUP_NEWER, FILE_UNUSABLE, STORAGE_FULL
 */
export async function readBackup(
  file: string,
  dir: string | undefined,
  options: ReadOptions,
): Promise<BackupManifest> {
  try {
    return await readMembers(file, dir, options);
  } catch (error) {
    if (options.signal.aborted || error instanceof FeedError || !(error instanceof Error)) throw error;
    const code = 'code' in error ? String(error.code) : '';
    if (error instanceof TarError || /^Z_/.test(code)) {
      return fail('BACKUP_INVALID', { file, problem: error.message }, error);
    }
    if (/^(ENOENT|EACCES|EPERM|EISDIR)$/.test(code) && 'path' in error && error.path === file) {
      return fail('FILE_UNUSABLE', { file, cause: fileReason(error) }, error);
    }
    throw /^(ENOSPC|EDQUOT)$/.test(code) ? new FeedError('STORAGE_FULL', {}, error) : error;
  }
}

async function readMembers(
  file: string,
  dir: string | undefined,
  { onManifest, onProgress, signal }: ReadOptions,
): Promise<BackupManifest> {
  const files = readTar(await unzipped(file, signal));
  const first = (await files.next()).value;
  if (first === undefined || first.path !== manifestName || first.sizeBytes > maxManifestBytes) {
    return fail('BACKUP_INVALID', { file, problem: `it does not begin with ${manifestName}` });
  }
  const manifest = readManifest(file, (await buffer(first.bytes)).toString('utf8'));
  await onManifest?.(manifest);
  let at = 0;
  for await (const found of files) {
    const member = manifest.members[at];
    // The manifest's schema limits the path, so that nothing is ever written outside of `dir`.
    if (member?.path !== found.path || member.sizeBytes !== found.sizeBytes) {
      fail('BACKUP_INVALID', {
        file,
        problem: `${JSON.stringify(found.path)} is not what ${manifestName} says`,
      });
    }
    await readMember(file, member, found, dir, onProgress);
    at += 1;
  }
  const lacking = manifest.members[at];
  if (lacking !== undefined) fail('BACKUP_INVALID', { file, problem: `${lacking.path} is missing` });
  return manifest;
}

async function readMember(
  file: string,
  member: BackupMember,
  { bytes }: TarFile,
  dir: string | undefined,
  onProgress: (bytes: number) => void,
): Promise<void> {
  let found = '';
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of hashing(bytes, (sha256) => {
      found = sha256;
    })) {
      onProgress(chunk.length);
      yield chunk;
    }
  }
  if (dir === undefined) {
    for await (const _ of counted());
  } else {
    const target = join(dir, ...member.path.split('/'));
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await pipeline(counted, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
  }
  if (found !== member.sha256) {
    fail('BACKUP_INVALID', { file, problem: `${member.path} is damaged (its SHA-256 is ${found})` });
  }
}

async function unzipped(file: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const handle = await open(file, 'r');
  const { buffer: head } = await handle.read(Buffer.alloc(2), 0, 2, 0).finally(() => handle.close());
  const source = createReadStream(file, { highWaterMark: 1024 * 1024, signal });
  if (head.readUInt16BE() !== 0x1f8b) return source;
  const gunzip = createGunzip();
  // A source that fails has to end the stream that reads from it.
  source.once('error', (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

/**
 * Makes a new tree durable, files and names: all at the end, when the system has written most of it by itself, which is many
 * times faster than after each file. Windows cannot fsync a folder; NTFS journals its names.
 */
export async function syncTree(dir: string, signal?: AbortSignal): Promise<void> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).values();
  async function work(): Promise<void> {
    for (const { parentPath, name } of files) {
      signal?.throwIfAborted();
      await syncFile(join(parentPath, name));
    }
  }
  await Promise.all(Array.from({ length: 16 }, work));
  for (const { parentPath, name } of entries.filter((entry) => entry.isDirectory()).reverse()) {
    await syncFolder(join(parentPath, name));
  }
  await syncFolder(dir);
}

export async function syncFolder(dir: string): Promise<void> {
  if (process.platform !== 'win32') await sync(dir, 'r');
}

/** Windows only syncs files that may be written. The others are git's objects, which git has already synced. */
async function syncFile(path: string): Promise<void> {
  if (process.platform !== 'win32') return sync(path, 'r');
  await sync(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM' && error.code !== 'EACCES') throw error;
  });
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Checks that the unpacked files are one feed: a sound database whose every row has its blob.
 * @throws FeedError BACKUP_INVALID
 */
export async function checkUnpacked(
  file: string,
  { missing, counts }: BackupManifest,
  { snapshot, blobs }: { readonly snapshot: CatalogSnapshot; readonly blobs: BlobReader },
  signal: AbortSignal,
): Promise<void> {
  const [damage] = await snapshot.findDamage();
  if (damage !== undefined) fail('BACKUP_INVALID', { file, problem: `its database is damaged: ${damage}` });
  const found = await snapshot.counts();
  if (
    found.packages !== counts.packages ||
    found.payloads !== counts.payloads ||
    found.keys !== counts.keys
  ) {
    fail('BACKUP_INVALID', { file, problem: 'its database has other counts than its manifest' });
  }
  const known = new Set(missing);
  for await (const { sha256, names } of snapshot.blobs()) {
    signal.throwIfAborted();
    if (!known.has(sha256) && !(await blobs.has(sha256))) {
      fail('BACKUP_INVALID', { file, problem: `the bytes of ${names[0]} are not in it` });
    }
  }
}

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Invocation } from '../../invocation.ts';
import { openRepository, restoreBundle } from '../bucket/git-bundle.ts';
import { fail } from '../errors.ts';
import type { BackupManifest } from '../feed/backup-format.ts';
import { checkUnpacked, readBackup } from '../feed/restore.ts';
import { openUnpacked } from '../reading.ts';
import { bytesIn, sizeOf } from './backup-size.ts';
import { requireSpace } from './disk-space.ts';
import { createProgress, type Progress } from './progress.ts';

/**
 * Unpacks a backup into a folder, which has the files of a data folder then, and checks that they are one feed.
 * @throws FeedError BACKUP_INVALID, BACKUP_NEWER, CATALOG_NEWER, NO_ROOM
 */
export async function unpackBackup(
  invocation: Invocation,
  file: string,
  staging: string,
  requireWanted: (manifest: BackupManifest) => Promise<void> = async () => undefined,
): Promise<BackupManifest> {
  const { signal, stderr } = invocation;
  // The backup itself says how much work it is.
  let progress: Progress | undefined;
  const manifest = await readBackup(file, staging, {
    signal,
    onProgress: (bytes) => progress?.step(bytes),
    onManifest: async (read) => {
      await requireWanted(read);
      await requireSpace(staging, sizeOf(read));
      progress = createProgress(stderr, 'Restoring', { bytes: bytesIn(read) });
    },
  }).finally(() => progress?.stop());
  for (const name of ['blobs', 'bucket']) await mkdir(join(staging, name), { recursive: true, mode: 0o700 });
  const unpacked = openUnpacked(staging);
  try {
    await checkUnpacked(file, manifest, unpacked, signal);
  } finally {
    await unpacked.snapshot.close();
  }
  const bundle = join(staging, 'bucket.bundle');
  const git = openRepository(join(staging, 'bucket'), invocation);
  await restoreBundle(bundle, git, manifest.refs).catch((error: unknown) => {
    signal.throwIfAborted();
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return fail(
      'BACKUP_INVALID',
      { file, problem: `its bucket is damaged: ${cause.replace(/\s+/g, ' ')}` },
      error,
    );
  });
  await rm(bundle);
  return manifest;
}

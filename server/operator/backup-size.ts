import type { BackupManifest } from '../feed/backup-format.ts';

/** What the files of a backup need on a disk, each with a block's worth of header and rounding. */
export function sizeOf({ members }: Pick<BackupManifest, 'members'>): number {
  return members.reduce((sum, { sizeBytes }) => sum + sizeBytes + 1024, 0);
}

/** What is read of a backup. */
export function bytesIn({ members }: Pick<BackupManifest, 'members'>): number {
  return members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

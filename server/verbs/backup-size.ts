import type { BackupManifest } from '../feed/backup-format.ts';

/** The disk space for the files of a backup, with one block each for header and rounding. */
export function sizeOf({ members }: Pick<BackupManifest, 'members'>): number {
  return members.reduce((sum, { sizeBytes }) => sum + sizeBytes + 1024, 0);
}

/** The number of bytes to read from a backup. */
export function bytesIn({ members }: Pick<BackupManifest, 'members'>): number {
  return members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

import { statfs } from 'node:fs/promises';
import { FeedError, fail } from '../errors.ts';

/** Checked before long work begins, not after hours of it. @throws FeedError NO_ROOM */
export async function requireSpace(dir: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (free < needed) fail('NO_ROOM', { dir, needed, free });
}

/** The error for a disk that became full anyway; any other error is returned unchanged. */
export function asSpaceError(error: unknown, dir: string): unknown {
  const isFull =
    error instanceof Error &&
    'code' in error &&
    /^(ENOSPC|EDQUOT|EFBIG|STORAGE_FULL)$/.test(String(error.code));
  return isFull ? new FeedError('DISK_FULL', { dir }, error) : error;
}

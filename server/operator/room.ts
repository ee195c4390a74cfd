import { statfs } from 'node:fs/promises';
import { fail } from '../errors.ts';

/** Asked before a long work begins, not after hours of it. @throws FeedError NO_ROOM */
export async function requireRoom(dir: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (free < needed) fail('NO_ROOM', { dir, needed, free });
}

import { closeSync, fdatasync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

/** Waits for the disk while the file stays open. */
export const syncOpenFile = promisify(fsync);

/**
 * Makes an existing file or folder durable. Only the fsync itself goes to another thread: a round trip takes longer than opening
 * and closing. Windows only flushes files that are open for writing.
 */
export async function syncFile(path: string, sync = syncOpenFile): Promise<void> {
  const file = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    await sync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * The same for its content and length alone. A file that is written over again and again, as a log is, then needs nothing of the file
 * system's own journal, which other files that are created meanwhile would wait for too.
 */
export function syncContent(path: string): Promise<void> {
  return syncFile(path, syncOpenContent);
}

const syncOpenContent = promisify(fdatasync);

import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

/** Waits for the disk while the file stays open. */
export const syncOpenFile = promisify(fsync);

/**
 * Makes an existing file or folder durable. Only the fsync itself goes to another thread: a round trip takes longer than opening
 * and closing. Windows only flushes files that are open for writing.
 */
export async function syncFile(path: string): Promise<void> {
  const file = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    await syncOpenFile(file);
  } finally {
    closeSync(file);
  }
}

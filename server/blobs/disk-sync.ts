import { closeSync, fsync, openSync } from 'node:fs';
import { promisify } from 'node:util';

/** Waits for the disk, for as long as the file stays open. */
export const syncOpenFile = promisify(fsync);

/**
 * A file or folder that is there, on disk when it resolves. Only what waits for the disk goes to another thread: the
 * way there and back takes longer than opening and closing. Windows flushes only what is open for writing.
 */
export async function syncFile(path: string): Promise<void> {
  const file = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    await syncOpenFile(file);
  } finally {
    closeSync(file);
  }
}

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { syncFile } from './disk-sync.ts';

export type Folders = {
  /** The folder exists when this returns, and still exists after a power cut. */
  make(folder: string): Promise<void>;
  /** Makes the names in the folder durable. */
  sync(folder: string): Promise<void>;
};

/**
 * Folders below a root whose names survive a power cut. Each folder's own name is fsynced once per process, not once per file. An
 * existing folder is no exception: it may come from a process that was killed before its fsync, or from a push that has not
 * reached it yet.
 */
export function createFolders(root: string): Folders {
  const durable = new Set([root]);

  async function make(folder: string): Promise<void> {
    if (durable.has(folder)) return;
    mkdirSync(folder, { recursive: true });
    const parent = path.dirname(folder);
    // Simultaneous fsyncs share one write of the file system's journal.
    await Promise.all([make(parent), syncFolder(parent)]);
    durable.add(folder);
  }

  return { make, sync: syncFolder };
}

/** Windows cannot fsync a folder; NTFS journals its names. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform !== 'win32') await syncFile(folder);
}

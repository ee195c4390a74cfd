import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createDiskReader, pathOfBlob } from './disk-reader.ts';

/** Room for one copy that is being made. Call `keep` or `giveUp`. */
export type Room = {
  /** Where the copy is made. */
  readonly path: string;
  /** The complete file becomes the copy. */
  keep(): Promise<void>;
  giveUp(): Promise<void>;
};

export type CachedFolder = {
  /** Whether there is a copy, which counts as used now. */
  has(sha256: string): boolean;
  /** Removes copies that were used longest ago; undefined when even that makes no room. */
  makeRoom(sha256: string, sizeBytes: number): Room | undefined;
  forget(sha256: string): Promise<void>;
  /** Of complete copies. */
  usedBytes(): number;
};

/**
 * Copies of blobs in a folder, `ab/abcd...` as in a store on a disk, at most `maxBytes` with those that are being made in `tmp`. The
 * folder may be removed or emptied at any time, even while it is in use.
 */
export async function openCachedFolder(root: string, maxBytes: number): Promise<CachedFolder> {
  const tmp = path.join(root, 'tmp');
  await rm(tmp, { recursive: true, force: true });
  await mkdir(tmp, { recursive: true });
  /** Sizes; those that were used longest ago come first. */
  const copies = new Map<string, number>();
  let copiedBytes = 0;
  let reservedBytes = 0;
  let made = 0;

  const found = [];
  for await (const blob of createDiskReader(root).list()) found.push(blob);
  for (const { sha256, sizeBytes } of found.sort((a, b) => a.written.getTime() - b.written.getTime())) {
    copies.set(sha256, sizeBytes);
    copiedBytes += sizeBytes;
  }
  while (copiedBytes > maxBytes) await forgetOldest();

  async function forget(sha256: string): Promise<void> {
    const sizeBytes = copies.get(sha256);
    if (sizeBytes === undefined) return;
    copies.delete(sha256);
    copiedBytes -= sizeBytes;
    // Windows keeps an open file; the next start finds it.
    await rm(pathOfBlob(root, sha256), { force: true }).catch(() => undefined);
  }

  async function forgetOldest(): Promise<void> {
    const [oldest] = copies.keys();
    if (oldest !== undefined) await forget(oldest);
  }

  return {
    has(sha256) {
      const sizeBytes = copies.get(sha256);
      if (sizeBytes === undefined) return false;
      copies.delete(sha256);
      copies.set(sha256, sizeBytes);
      return true;
    },
    makeRoom(sha256, sizeBytes) {
      if (reservedBytes + sizeBytes > maxBytes) return undefined;
      reservedBytes += sizeBytes;
      while (copiedBytes + reservedBytes > maxBytes) void forgetOldest();
      made += 1;
      const file = path.join(tmp, String(made));
      const target = pathOfBlob(root, sha256);
      return {
        path: file,
        async keep() {
          await mkdir(path.dirname(target), { recursive: true });
          await rename(file, target);
          reservedBytes -= sizeBytes;
          copiedBytes += sizeBytes - (copies.get(sha256) ?? 0);
          copies.set(sha256, sizeBytes);
        },
        async giveUp() {
          reservedBytes -= sizeBytes;
          await rm(file, { force: true }).catch(() => undefined);
        },
      };
    },
    forget,
    usedBytes: () => copiedBytes,
  };
}

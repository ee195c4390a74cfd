import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { FeedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { BlobStore, Range, TakePiece } from './blob-store.ts';
import { type GrowingCopy, writeCopy } from './cached-copy.ts';
import { openCachedFolder, type Room } from './cached-folder.ts';
import { createDiskReader } from './disk-reader.ts';
import { verifiedPieces } from './verified-pieces.ts';

export type CachedStore = BlobStore & {
  /** Removes copies of blobs that were removed, perhaps by another server. */
  forget(sha256s: Iterable<string>): Promise<void>;
  /** How much room the copies take, and may take. */
  room(): { readonly usedBytes: number; readonly limitBytes: number };
  /** Ends what is being copied. */
  close(): Promise<void>;
};

/**
 * Parts of a blob up to this size bring a copy of the whole: the second part that a client reads, and the first for whoever looks into a
 * package here, who reads many.
 */
const wholeForPartBytes = 16 * 1024 ** 2;
const maxPartlyRead = 1000;

type Copying = {
  readonly started: Promise<{ readonly copy: GrowingCopy; readonly source: Readable }>;
  /** False once the blob was removed, or nobody reads it any more. */
  isWanted: boolean;
  readers: number;
  /** It goes on without readers. */
  isForParts: boolean;
};

/**
 * A store with copies of what was read of it on the local disk, in `dir`. Blobs never change, so that a copy is as good as the blob; it
 * is kept only when its bytes have the right SHA-256. Simultaneous readers of a whole blob fetch it once and share the copy while it
 * grows. A part of a blob without a copy comes from the store directly and is not checked: only the whole has a hash. A cache that
 * cannot be written slows reading down and fails no reader.
 */
export async function openCachedStore(
  store: BlobStore,
  { dir, maxBytes, log }: { readonly dir: string; readonly maxBytes: number; readonly log: Logger },
): Promise<CachedStore> {
  const root = path.resolve(dir);
  const folder = await openCachedFolder(root, maxBytes);
  const copies = createDiskReader(root);
  const copying = new Map<string, Copying>();
  /** Of which a client has read one part. */
  const partlyRead = new Set<string>();
  let isClosed = false;
  let isWarned = false;

  /** Returns where it ended: a copy that is damaged or gone is given up, and the reader goes on in the store. */
  async function readCopy(sha256: string, range: Range, take: TakePiece): Promise<number> {
    if (!folder.has(sha256)) return range.start;
    let at = range.start;
    let taking: Promise<void> = Promise.resolve();
    try {
      await copies.readTo(sha256, range, (piece) => {
        at += piece.length;
        taking = take(piece);
        return taking;
      });
    } catch {
      await taking;
      await folder.forget(sha256);
    }
    return at;
  }

  /** The copy of a whole blob that is being made, or is begun now; undefined without room for it. */
  function copyOf(sha256: string, sizeBytes: number): Copying | undefined {
    const running = copying.get(sha256);
    if (running !== undefined) return running;
    const room = folder.makeRoom(sha256, sizeBytes);
    if (room === undefined) return undefined;
    const started = startCopy(sha256, sizeBytes, room.path);
    const begun: Copying = { started, isWanted: true, readers: 0, isForParts: false };
    copying.set(sha256, begun);
    void finish(sha256, begun, room);
    return begun;
  }

  async function startCopy(sha256: string, sizeBytes: number, file: string) {
    const source = await store.open(sha256);
    if (isClosed) source.destroy();
    return { source, copy: writeCopy(verifiedPieces(source, { sha256, sizeBytes }), file) };
  }

  async function finish(sha256: string, running: Copying, room: Room): Promise<void> {
    // The readers get the errors of the store.
    const started = await running.started.catch(() => undefined);
    try {
      await started?.copy.written;
      if (started === undefined || !running.isWanted) return await room.giveUp();
      await room.keep();
      isWarned = false;
      if (!running.isWanted) await folder.forget(sha256);
    } catch (error) {
      started?.source.destroy();
      await room.giveUp();
      if (error instanceof FeedError || !running.isWanted || isClosed || isWarned) return;
      isWarned = true;
      log.warn(
        { err: error },
        'a copy of a blob could not be kept, it is read from the object store each time',
      );
    } finally {
      if (copying.get(sha256) === running) copying.delete(sha256);
      await started?.copy.release().catch(() => undefined);
    }
  }

  async function readWhole(sha256: string, range: Range, sizeBytes: number, take: TakePiece): Promise<void> {
    const running = copyOf(sha256, sizeBytes);
    if (running === undefined) {
      const pieces = verifiedPieces(await store.open(sha256), { sha256, sizeBytes });
      for await (const piece of pieces) await take(piece);
      return;
    }
    const hash = createHash('sha256');
    const hashed: TakePiece = (piece) => {
      hash.update(piece);
      return take(piece);
    };
    running.readers += 1;
    const { copy, source } = await running.started;
    const at = await copy
      .readTo(range, hashed)
      .catch((error: unknown) => {
        // The last reader has left.
        if (running.readers === 1 && !running.isForParts) {
          running.isWanted = false;
          copying.delete(sha256);
          source.destroy();
        }
        throw error;
      })
      .finally(() => {
        running.readers -= 1;
      });
    if (at > range.end) return;
    const reason = await copy.written.catch((error: unknown) => error);
    // Nothing that was fetched again may complete it: what the reader has is wrong.
    if (reason instanceof FeedError && reason.code === 'OBJECT_DAMAGED') throw reason;
    const rest = await store.open(sha256, { start: at, end: range.end });
    for await (const piece of verifiedPieces(rest, { sha256, sizeBytes }, { hash, sizeBytes: at }))
      await take(piece);
  }

  async function readTo(sha256: string, range: Range, take: TakePiece): Promise<void> {
    const at = await readCopy(sha256, range, take);
    if (at > range.end) return;
    if (range.start > 0 || range.of !== range.end + 1) {
      if (isReadAgain(sha256)) copyForPart(sha256, range);
      await store.readTo(sha256, { ...range, start: at }, take);
    } else {
      // A copy was checked when it was made: what it has given is right.
      await readWhole(sha256, range, range.of, at === 0 ? take : without(at, take));
    }
  }

  /** Of blobs without a copy. One part alone is not worth the whole. */
  function isReadAgain(sha256: string): boolean {
    if (partlyRead.delete(sha256)) return true;
    partlyRead.add(sha256);
    const [oldest] = partlyRead;
    if (partlyRead.size > maxPartlyRead && oldest !== undefined) partlyRead.delete(oldest);
    return false;
  }

  /** In the background: whoever reads the blob next learns what is wrong with it. */
  function copyForPart(sha256: string, range: Range | undefined): void {
    const sizeBytes = range?.of ?? Number.POSITIVE_INFINITY;
    if (sizeBytes > wholeForPartBytes) return;
    const running = copyOf(sha256, sizeBytes);
    if (running !== undefined) running.isForParts = true;
  }

  async function forgetOne(sha256: string): Promise<void> {
    const running = copying.get(sha256);
    if (running !== undefined) running.isWanted = false;
    await folder.forget(sha256);
  }

  return {
    ...store,
    async open(sha256, range) {
      if (folder.has(sha256)) {
        try {
          return await copies.open(sha256, range);
        } catch {
          await folder.forget(sha256);
        }
      }
      copyForPart(sha256, range);
      return store.open(sha256, range);
    },
    readTo,
    readSmall(sha256, sizeBytes) {
      if (folder.has(sha256)) {
        try {
          return copies.readSmall(sha256, sizeBytes);
        } catch {
          void folder.forget(sha256);
        }
      }
      return readIntoMemory(sha256, sizeBytes);
    },
    async remove(sha256, until) {
      const isRemoved = await store.remove(sha256, until);
      await forgetOne(sha256);
      return isRemoved;
    },
    async forget(sha256s) {
      for (const sha256 of sha256s) await forgetOne(sha256);
    },
    room: () => ({ usedBytes: folder.usedBytes(), limitBytes: maxBytes }),
    async close() {
      isClosed = true;
      for (const { started } of copying.values()) {
        void started.then(({ source }) => source.destroy()).catch(() => undefined);
      }
    },
  };

  async function readIntoMemory(sha256: string, sizeBytes: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    let at = 0;
    if (sizeBytes === 0) return bytes;
    await readTo(sha256, { start: 0, end: sizeBytes - 1, of: sizeBytes }, async (piece) => {
      at += piece.copy(bytes, at);
    });
    return bytes;
  }
}

/** Leaves out the first bytes. */
function without(bytes: number, take: TakePiece): TakePiece {
  let left = bytes;
  return async (piece) => {
    const rest = piece.subarray(Math.min(left, piece.length));
    left -= piece.length - rest.length;
    if (rest.length > 0) await take(rest);
  };
}

import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { Range } from './blob-store.ts';
import { type S3, soon } from './s3-client.ts';
import { asBlobStoreError, isNoSuchKey } from './s3-errors.ts';

type Place = { readonly Bucket: string; readonly Key: string };
/** Read it to its end, or call `close`. */
export type Pieces = AsyncIterable<Buffer> & { close(): void };
type Part = {
  readonly body: Readable;
  readonly start: number;
  readonly end: number;
  readonly etag: string | undefined;
};

/** In a row, without much in between. */
const maxCuts = 3;
const muchBytes = 1024 ** 2;

/**
 * The bytes of an object or of a range of it, as they come. What was cut halfway is continued. The first answer is there when this
 * returns.
 * @throws FeedError BLOB_STORE_UNREACHABLE; an Error with the code ENOENT if there is no such object, as for files
 */
export async function openPieces(s3: S3, place: Place, range?: Range): Promise<Pieces> {
  const first = await askForPart(s3, place, range);
  let part = first;

  async function* readOn(): AsyncGenerator<Buffer, void, undefined> {
    let at = first.start;
    let cuts = 0;
    try {
      while (at <= first.end) {
        const since = at;
        try {
          for await (const piece of watched(part.body, s3.limits.silentMs)) {
            yield piece;
            at += piece.length;
            if (at - since >= muchBytes) cuts = 0;
          }
          if (at <= first.end) throw new Error(`cut at ${at}`);
        } catch (error) {
          cuts += 1;
          if (isClosed || cuts > maxCuts) throw asBlobStoreError(error);
          // The same object, or none: an object that was replaced meanwhile must not be joined to the beginning of another.
          part = await askForPart(s3, place, { start: at, end: first.end }, first.etag);
        }
      }
    } finally {
      close();
    }
  }

  let isClosed = false;
  // A generator that was not begun, or that waits for the store, does not clean up.
  function close(): void {
    isClosed = true;
    part.body.destroy();
  }

  return Object.assign(readOn(), { close });
}

async function askForPart(s3: S3, place: Place, range?: Range, etag?: string): Promise<Part> {
  try {
    const { Body, ContentLength, ContentRange, ETag } = await s3.client.send(
      new GetObjectCommand({
        ...place,
        ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
      soon(s3),
    );
    const body = Body as Readable;
    const [, start, end] = /^bytes (\d+)-(\d+)\//.exec(ContentRange ?? '') ?? [];
    // A store may send the whole where a range was asked for, and no range of nothing.
    const part = {
      start: Number(start ?? 0),
      end: end === undefined ? Number(ContentLength) - 1 : Number(end),
    };
    if (!Number.isInteger(part.end) || part.start !== (range?.start ?? 0)) {
      body.destroy();
      throw new Error('an answer without its length, or with another range');
    }
    return { body, ...part, etag: ETag };
  } catch (error) {
    if (isNoSuchKey(error)) throw Object.assign(new Error(`No object ${place.Key}`), { code: 'ENOENT' });
    throw asBlobStoreError(error);
  }
}

/** Only the time is counted that the store needs for the next piece, not that of a slow reader. */
async function* watched(body: Readable, silentMs: number): AsyncGenerator<Buffer, void, undefined> {
  const pieces = body.iterator({ destroyOnReturn: true });
  try {
    for (;;) {
      const timer = setTimeout(() => body.destroy(new Error(`no byte for ${silentMs} ms`)), silentMs);
      const next = await pieces.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value as Buffer;
    }
  } finally {
    body.destroy();
  }
}

import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { fail } from '../errors.ts';
import type { Range } from './blob-store.ts';
import { watched } from './s3-answers.ts';
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
 * The bytes of an object or of a range of it, as they come, and none after them whatever the store sends. What was cut halfway is
 * continued. The first answer is there when this returns.
 * @throws FeedError BLOB_STORE_UNREACHABLE; OBJECT_DAMAGED if the whole has another size; an Error with the code ENOENT if there is no
 *   such object, as for files
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
          for await (const more of watched(part.body, s3.limits.silentMs)) {
            // Our answer has its length in its header: what follows would be taken for the next answer.
            const piece = more.subarray(0, first.end + 1 - at);
            yield piece;
            at += piece.length;
            if (at > first.end) return;
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
    const [, start, end, of] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? '') ?? [];
    // A store may send the whole where a range was asked for, and no range of nothing.
    const found = { start: Number(start ?? 0), end: Number(end ?? Number(ContentLength) - 1) };
    const isOther = range?.of !== undefined && range.of !== Number(of ?? ContentLength);
    if (!Number.isInteger(found.end) || found.start !== (range?.start ?? 0) || isOther) {
      body.destroy();
      // All that can be known of a part: whether it is of a blob of this size.
      if (isOther) fail('OBJECT_DAMAGED', { sha256: place.Key.slice(-64) });
      throw new Error('an answer without its length, or with another range');
    }
    return { body, start: found.start, end: Math.min(found.end, range?.end ?? found.end), etag: ETag };
  } catch (error) {
    if (isNoSuchKey(error)) throw Object.assign(new Error(`No object ${place.Key}`), { code: 'ENOENT' });
    throw asBlobStoreError(error);
  }
}

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { HeadObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { BlobReader } from './blob-store.ts';
import { folderOf, keyOf, type S3, soon } from './s3-client.ts';
import { asBlobStoreError, isNoSuchKey } from './s3-errors.ts';
import { openPieces } from './s3-pieces.ts';

/** Reads blobs from a bucket; it never changes anything. Errors of the store are FeedErrors, BLOB_STORE_UNREACHABLE. */
export function createS3Reader(s3: S3): BlobReader {
  const { client, address } = s3;
  const placeOf = (sha256: string) => ({ Bucket: address.bucket, Key: keyOf(address, sha256) });

  return {
    async has(sha256) {
      try {
        await client.send(new HeadObjectCommand(placeOf(sha256)), soon(s3));
        return true;
      } catch (error) {
        if (isNoSuchKey(error)) return false;
        throw asBlobStoreError(error);
      }
    },
    async open(sha256, range) {
      const pieces = await openPieces(s3, placeOf(sha256), range);
      return Readable.from(pieces, { objectMode: false }).once('close', pieces.close);
    },
    async readTo(sha256, range, take) {
      let at = range.start;
      for await (const piece of await openPieces(s3, placeOf(sha256), range)) {
        at += piece.length;
        await take(piece);
      }
      if (at <= range.end) throw new Error(`The object ${sha256} ends at ${at}, before ${range.end}`);
    },
    async readSmall(sha256, sizeBytes) {
      const bytes = await buffer(await openPieces(s3, placeOf(sha256)));
      if (bytes.length !== sizeBytes)
        throw new Error(`${bytes.length} bytes instead of ${sizeBytes} in ${sha256}`);
      return bytes;
    },
    async *list() {
      const folder = folderOf(address);
      const pages = paginateListObjectsV2({ client }, { Bucket: address.bucket, Prefix: folder }, soon(s3));
      try {
        for await (const { Contents = [] } of pages) {
          for (const { Key = '', Size = 0, LastModified = new Date() } of Contents) {
            const [, first, sha256 = ''] =
              /^([0-9a-f]{2})\/([0-9a-f]{64})$/.exec(Key.slice(folder.length)) ?? [];
            if (first !== undefined && sha256.startsWith(first))
              yield { sha256, sizeBytes: Size, written: LastModified };
          }
        }
      } catch (error) {
        throw asBlobStoreError(error);
      }
    },
  };
}

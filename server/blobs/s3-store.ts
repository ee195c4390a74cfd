import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DeleteObjectCommand, HeadBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Upload as ObjectUpload } from '@aws-sdk/lib-storage';
import type { BlobStore, Upload } from './blob-store.ts';
import { roomError } from './disk-room.ts';
import { receiveFile, type UploadedFile } from './disk-upload.ts';
import { createHolds } from './holds.ts';
import { createS3, keyOf, type S3, type S3Address, type S3Limits, soon } from './s3-client.ts';
import { asBlobStoreError, asCredentialsError, asStartError } from './s3-errors.ts';
import { createS3Reader } from './s3-reader.ts';

const mebibyte = 1024 ** 2;
/** The smallest that S3 allows. */
const partBytes = 5 * mebibyte;
/** An upload keeps these in memory, one more, and what the SDK put them together from: three took up to 70 MiB on a busy machine. */
const parallelParts = 2;
const maxParts = 10_000;
const pingMs = 5_000;

/**
 * Blobs in a bucket of S3 or a store that speaks its protocol, one object each: `PREFIX/ab/abcd...`, the blob whose SHA-256 is abcd...
 * An upload is a file in `dir` first, since its package is checked there and its hash is its key; whatever is in `dir` when the store
 * opens was left by a crash and is removed. An object appears whole, and nothing is ever pending.
 *
 * Any number of servers share a bucket. What protects the bytes of an upload from the others is a claim in the database
 * (claimed-store.ts); this store only knows the uploads of its own process.
 * @throws FeedError BLOB_STORE_SILENT, BLOB_STORE_MISSING, BLOB_STORE_CREDENTIALS, BLOB_STORE_REFUSED, BLOB_STORE_ELSEWHERE
 */
export async function openS3Store(address: S3Address, dir: string, limits?: S3Limits): Promise<BlobStore> {
  const s3 = createS3(address, limits);
  const { client } = s3;
  await requireAccess(s3);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });

  const holds = createHolds();
  /** Removals under way. */
  const removals = new Map<string, Promise<unknown>>();
  const placeOf = (sha256: string) => ({ Bucket: address.bucket, Key: keyOf(address, sha256) });

  function createUpload(file: UploadedFile): Upload {
    const { digest, bytes } = file;
    let letGo: (() => void) | undefined;

    async function commit(): Promise<undefined> {
      letGo ??= holds.hold(digest.sha256);
      // A removal that has begun would take these bytes away, too.
      await removals.get(digest.sha256);
      await put(digest.sha256, bytes ?? file.path, digest.sizeBytes);
      await removeFile();
    }

    async function discard(): Promise<void> {
      letGo?.();
      await removeFile();
    }

    async function removeFile(): Promise<void> {
      if (bytes !== undefined) return;
      // A file that is still being written would reappear after its removal.
      await file.durable().catch(() => undefined);
      await rm(file.path, { force: true });
    }

    return { digest, content: bytes ?? file.path, commit, commitPending: commit, discard };
  }

  /** An object that is there already is replaced by the same bytes, which also repairs it. */
  async function put(sha256: string, source: Buffer | string, sizeBytes: number): Promise<void> {
    const body = typeof source === 'string' ? createReadStream(source, { highWaterMark: mebibyte }) : source;
    try {
      await new ObjectUpload({
        client,
        params: { ...placeOf(sha256), Body: body },
        partSize: Math.max(partBytes, Math.ceil(sizeBytes / maxParts)),
        queueSize: parallelParts,
      }).done();
    } catch (error) {
      throw asBlobStoreError(error);
    } finally {
      if (!Buffer.isBuffer(body)) body.destroy();
    }
  }

  /** False when it took several requests: an earlier one may still be under way, and reach the store after a later upload. */
  async function removeObject(sha256: string, until: number): Promise<boolean> {
    const command = new DeleteObjectCommand(placeOf(sha256));
    // After the request is signed: should this process stand still from here on, the store refuses an old signature.
    command.middlewareStack.add(
      (next) => async (args) => {
        if (performance.now() > until) throw new Error('too late to remove an object');
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'untilDeadline' },
    );
    try {
      const { $metadata } = await client.send(command, soon(s3));
      return ($metadata.attempts ?? 1) === 1;
    } catch (error) {
      throw asBlobStoreError(error);
    }
  }

  /** Reading is enough for the store: it is asked every few seconds. Uploads also need the folder. */
  async function ping(): Promise<void> {
    const probe = path.join(dir, `ping-${randomUUID()}`);
    try {
      await writeFile(probe, 'ping', { flag: 'wx' });
      await readFile(probe);
    } finally {
      await rm(probe, { force: true });
    }
    try {
      const bucket = new HeadBucketCommand({ Bucket: address.bucket });
      await client.send(bucket, { abortSignal: AbortSignal.timeout(pingMs) });
    } catch (error) {
      throw asBlobStoreError(error);
    }
  }

  return {
    ...createS3Reader(s3),
    async receive(source, maxBytes) {
      try {
        return createUpload(await receiveFile(dir, source, maxBytes));
      } catch (error) {
        throw roomError(error);
      }
    },
    flush: async () => undefined,
    repair: (sha256, bytes) => put(sha256, bytes, bytes.length),
    async remove(sha256, until = Number.POSITIVE_INFINITY) {
      if (holds.has(sha256)) return false;
      const removal = removeObject(sha256, until);
      const ended = removal.catch(() => undefined);
      removals.set(sha256, ended);
      void ended.then(() => removals.get(sha256) === ended && removals.delete(sha256));
      const isSure = await removal;
      // A push may be waiting to store the bytes again.
      return isSure && !holds.has(sha256);
    },
    ping,
  };
}

/** A list has the reason of a refusal in its answer; a question about the bucket alone has none. */
async function requireAccess({ client, address, limits }: S3): Promise<void> {
  try {
    // By itself, since what goes wrong here may be of a service that gives credentials, and not of the store.
    await client.config.credentials();
  } catch (error) {
    throw asCredentialsError(error, address);
  }
  try {
    const list = new ListObjectsV2Command({ Bucket: address.bucket, Prefix: address.prefix, MaxKeys: 1 });
    await client.send(list, soon({ limits }));
  } catch (error) {
    throw asStartError(error, address);
  }
}

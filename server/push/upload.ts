import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { Request } from 'express';
import type { BlobStore, Upload } from '../blobs/blob-store.ts';
import { FeedError, fail } from '../errors.ts';
import { bodyStream, refuseTooLong } from '../http/body-stream.ts';

/** What boundaries and part headers may add to the package in a multipart body. */
const maxFramingBytes = 64 * 1024;

/**
 * The uploaded package: the first file of a multipart form, whatever its name, or else the whole body (spec nuget-v2 10.2). The
 * whole request has arrived when it returns. The caller discards the upload.
 * @throws FeedError UPLOAD_BROKEN, PACKAGE_TOO_LARGE, STORAGE_FULL; nothing is left of the upload then
 */
export async function receiveUpload(req: Request, blobs: BlobStore, maxBytes: number): Promise<Upload> {
  if (!/^multipart\/form-data\b/i.test(req.headers['content-type'] ?? '')) {
    refuseTooLong(req, maxBytes);
    return blobs.receive(bodyStream(req), maxBytes);
  }
  refuseTooLong(req, maxBytes, maxFramingBytes);
  return receiveFirstFile(req, blobs, maxBytes);
}

async function receiveFirstFile(req: Request, blobs: BlobStore, maxBytes: number): Promise<Upload> {
  const form = parserFor(req);
  const body = bodyStream(req);
  let first: { readonly file: Readable; readonly upload: Promise<Upload> } | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      form.once('finish', resolve);
      form.on('error', (error) => reject(new FeedError('UPLOAD_BROKEN', {}, error)));
      body.once('error', reject);
      form.on('file', (_field, file) => {
        // The form reports the fault of a part too; an unhandled error here would end the process.
        file.on('error', () => undefined);
        if (first !== undefined) {
          file.resume();
          return;
        }
        const upload = blobs.receive(file, maxBytes);
        upload.catch(reject);
        first = { file, upload };
      });
      body.pipe(form);
    });
    return await (first?.upload ?? fail('UPLOAD_BROKEN'));
  } catch (error) {
    body.destroy();
    form.destroy();
    first?.file.destroy(new FeedError('UPLOAD_BROKEN'));
    await first?.upload.then(
      (upload) => upload.discard(),
      () => undefined,
    );
    throw error;
  }
}

function parserFor(req: Request): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...req.headers, 'content-type': req.headers['content-type'] ?? '' },
      limits: { files: 10, parts: 100, fields: 100, fieldSize: 64 * 1024, headerPairs: 100 },
    });
  } catch (error) {
    throw new FeedError('UPLOAD_BROKEN', {}, error);
  }
}

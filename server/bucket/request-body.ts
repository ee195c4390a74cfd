import { pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Request } from 'express';
import { FeedError, fail } from '../errors.ts';
import { bodyStream } from '../http/body-stream.ts';

/**
 * The body of a git client's request, unpacked on the way with a size limit, so that a small gzip cannot grow without end. It
 * fails with BODY_INVALID, PUSH_TOO_LARGE and UPLOAD_BROKEN.
 * @throws FeedError PUSH_TOO_LARGE by the Content-Length, ENCODING_UNKNOWN
 */
export function openBody(req: Request, maxBytes: number): Readable {
  const length = Number(req.headers['content-length'] ?? 0);
  if (length > maxBytes) {
    throw tooLarge(length, maxBytes);
  }
  const encoding = (req.headers['content-encoding'] ?? 'identity').toLowerCase();
  const unpack = unpackers[encoding] ?? (() => fail('ENCODING_UNKNOWN', { encoding }));
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? tooLarge(bytes, maxBytes) : null, chunk);
    },
    destroy: (error, done) => done(error && asSaid(error)),
  });
  const steps = [bodyStream(req), ...unpack(), counted];
  // The reader of `counted` gets the error.
  pipeline(steps, () => throwAway(req, maxBytes));
  return counted;
}

/** A client does not read the answer while it sends; and the next request uses the same connection. */
function throwAway(req: Request, maxBytes: number): void {
  let left = maxBytes;
  // This comes first, because taking a stream out of its pipe pauses it.
  req.unpipe();
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) req.destroy();
  });
  req.resume();
}

const gunzip = (): Transform[] => [createGunzip()];
const unpackers: Readonly<Record<string, () => Transform[]>> = {
  identity: () => [],
  gzip: gunzip,
  'x-gzip': gunzip,
};

function asSaid(error: Error): Error {
  const isOfGzip = 'code' in error && /^Z_/.test(String(error.code));
  return isOfGzip ? new FeedError('BODY_INVALID', { problem: 'it is not a complete gzip.' }, error) : error;
}

function tooLarge(found: number, limit: number): FeedError {
  return new FeedError('PUSH_TOO_LARGE', { what: 'The request', found: `${found} bytes`, limit });
}

import { PassThrough, type Readable } from 'node:stream';
import type { Request } from 'express';
import { FeedError, fail } from '../errors.ts';

/**
 * The body of a request as a stream of its own. Whoever reads it may end or break it without ending the connection,
 * over which the answer still has to go; a sender who goes away breaks it with UPLOAD_BROKEN, so that half an upload
 * is never taken for a whole one.
 */
export function bodyStream(req: Request): Readable {
  const body = new PassThrough();
  function breakOff(cause?: unknown): void {
    if (!req.complete || cause instanceof Error) {
      body.destroy(new FeedError('UPLOAD_BROKEN', {}, cause));
    }
  }
  req.once('error', breakOff);
  req.once('close', breakOff);
  body.once('close', () => req.unpipe(body));
  return req.pipe(body);
}

/**
 * Refuses by its Content-Length what would be too large; `framingBytes` may be around the payload.
 * @throws FeedError PACKAGE_TOO_LARGE
 */
export function refuseTooLong(req: Request, maxBytes: number, framingBytes = 0): void {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes + framingBytes) {
    fail('PACKAGE_TOO_LARGE', { maxBytes });
  }
}

import { PassThrough, type Readable } from 'node:stream';
import type { Request } from 'express';
import { beginSpan } from '../../tracing/spans.ts';
import { FeedError, fail } from '../errors.ts';

/**
 * The body of a request as a separate stream. Ending or destroying it leaves the connection open for the answer. A sender who
 * goes away makes it fail with UPLOAD_BROKEN, so that half an upload never looks complete.
 */
export function bodyStream(req: Request): Readable {
  const body = new PassThrough();
  const span = beginSpan('read body');
  function breakOff(cause?: unknown): void {
    if (!req.complete || cause instanceof Error) {
      body.destroy(new FeedError('UPLOAD_BROKEN', {}, cause));
    }
  }
  req.once('error', breakOff);
  req.once('close', breakOff);
  body.once('close', () => {
    req.unpipe(body);
    span?.end(body.errored ?? undefined);
  });
  return req.pipe(body);
}

/**
 * Refuses a body that is too large according to its Content-Length; `framingBytes` may be added to the payload.
 * @throws FeedError PACKAGE_TOO_LARGE
 */
export function refuseTooLong(req: Request, maxBytes: number, framingBytes = 0): void {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes + framingBytes) {
    fail('PACKAGE_TOO_LARGE', { maxBytes });
  }
}

import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';

export type Sendable = {
  /** Lower-case hex; the strong ETag. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly cacheControl: string;
  /** Name to save it as, plain ASCII. */
  readonly fileName?: string;
  readonly open: (range?: { readonly start: number; readonly end: number }) => Promise<Readable>;
};

/**
 * Answers GET and HEAD with bytes that never change: ETag, If-None-Match, one Range (several are answered with the
 * whole, as RFC 9110 14.2 allows). Says whether the whole was sent to its end.
 */
export async function sendBlob(req: Request, res: Response, blob: Sendable): Promise<'whole' | 'other'> {
  const etag = `"${blob.sha256}"`;
  res.set({ ETag: etag, 'Accept-Ranges': 'bytes', 'Cache-Control': blob.cacheControl });
  if (isAmongTags(req.headers['if-none-match'], etag)) {
    res.status(304).end();
    return 'other';
  }
  res.set('Content-Type', blob.contentType);
  if (blob.fileName !== undefined) {
    res.set('Content-Disposition', `attachment; filename="${blob.fileName}"`);
  }
  const range = rangeOf(req, blob.sizeBytes, etag);
  if (range === 'unsatisfiable') {
    res.status(416).set('Content-Range', `bytes */${blob.sizeBytes}`).set('Content-Length', '0').end();
    return 'other';
  }
  const { start, end } = range ?? { start: 0, end: blob.sizeBytes - 1 };
  res.status(range === undefined ? 200 : 206).set('Content-Length', String(end - start + 1));
  if (range !== undefined) {
    res.set('Content-Range', `bytes ${start}-${end}/${blob.sizeBytes}`);
  }
  if (req.method === 'HEAD') {
    res.end();
    return 'other';
  }
  await pipeline(await blob.open(range), res);
  return range === undefined ? 'whole' : 'other';
}

function isAmongTags(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

function rangeOf(
  req: Request,
  sizeBytes: number,
  etag: string,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const ifRange = req.headers['if-range'];
  if (typeof ifRange === 'string' && ifRange.trim() !== etag) {
    return undefined;
  }
  const ranges = req.range(sizeBytes);
  if (ranges === -1) {
    return 'unsatisfiable';
  }
  const isOne = Array.isArray(ranges) && ranges.type === 'bytes' && ranges.length === 1;
  return isOne ? ranges[0] : undefined;
}

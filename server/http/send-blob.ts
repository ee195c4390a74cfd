import { finished } from 'node:stream';
import type { Request, Response } from 'express';
import type { Range, TakePiece } from '../blobs/blob-store.ts';
import { clientHas } from './if-none-match.ts';

export type Sendable = {
  /** Lower-case hex; the strong ETag. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly cacheControl: string;
  /** The name for saving it, plain ASCII. */
  readonly fileName?: string;
  /** Reads the range piece by piece (`blobs/blob-store.ts`). */
  readonly readTo: (range: Range, take: TakePiece) => Promise<void>;
  /** Called when everything was sent: not for HEAD, parts, or a download that broke off. */
  readonly onWholeSent?: () => void;
};

/**
 * Answers GET and HEAD with immutable bytes: ETag, If-None-Match, one Range (several are answered with the whole, as RFC 9110
 * 14.2 allows).
 */
export async function sendBlob(req: Request, res: Response, blob: Sendable): Promise<void> {
  const etag = etagOf(blob);
  setAll(res, cacheHeaders(blob));
  if (clientHas(req, etag)) {
    res.status(304).end();
    return;
  }
  setAll(res, contentHeaders(blob));
  const range = rangeOf(req, blob.sizeBytes, etag);
  if (range === 'unsatisfiable') {
    res.status(416).set('Content-Range', `bytes */${blob.sizeBytes}`).set('Content-Length', '0').end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: blob.sizeBytes - 1 };
  res.status(range === undefined ? 200 : 206).set('Content-Length', String(end - start + 1));
  if (range !== undefined) {
    res.set('Content-Range', `bytes ${start}-${end}/${blob.sizeBytes}`);
  }
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  if (range === undefined && blob.onWholeSent !== undefined) {
    // Immediately: a stopping server waits for answers, but not for work after them.
    res.once('finish', blob.onWholeSent);
  }
  if (end < start) res.end();
  else await blob.readTo({ start, end, of: blob.sizeBytes }, createTake(res, end - start + 1));
}

/**
 * Writes each piece and waits until the system has taken it. The answer ends together with its last byte; otherwise a client that
 * closes as soon as it has everything would count as broken off.
 */
function createTake(res: Response, sizeBytes: number): TakePiece {
  let missing = sizeBytes;
  let broken: Error | undefined;
  let settle: (error?: Error | null) => void = () => undefined;
  // Not every write reports the end of its connection.
  finished(res, (error) => {
    broken = error ?? undefined;
    settle(error);
  });
  return (bytes) =>
    new Promise((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve());
      missing -= bytes.length;
      if (broken !== undefined) reject(broken);
      else if (missing === 0) res.end(bytes);
      else res.write(bytes, settle);
    });
}

type Described = Omit<Sendable, 'readTo' | 'onWholeSent'>;

export function etagOf({ sha256 }: Described): string {
  return `"${sha256}"`;
}

/** Name, value, name, value ...: all headers but Content-Length of an answer with the whole. */
export function blobHeaders(blob: Described): string[] {
  return [...cacheHeaders(blob), ...contentHeaders(blob)];
}

function cacheHeaders(blob: Described): string[] {
  return ['ETag', etagOf(blob), 'Accept-Ranges', 'bytes', 'Cache-Control', blob.cacheControl];
}

function contentHeaders({ contentType, fileName }: Described): string[] {
  const saveAs = fileName === undefined ? [] : ['Content-Disposition', `attachment; filename="${fileName}"`];
  return ['Content-Type', contentType, ...saveAs];
}

function setAll(res: Response, headers: readonly string[]): void {
  for (let at = 0; at < headers.length; at += 2) res.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
}

function rangeOf(req: Request, sizeBytes: number, etag: string): Range | 'unsatisfiable' | undefined {
  const ifRange = req.headers['if-range'];
  if (typeof ifRange === 'string' && ifRange.trim() !== etag) {
    return undefined;
  }
  // The parser considers a suffix longer than the whole unsatisfiable, but it means the whole (RFC 9110 14.1.2).
  const [, suffix] = /^bytes=-(\d+)$/.exec(req.headers.range ?? '') ?? [];
  if (Number(suffix) > sizeBytes && sizeBytes > 0) {
    return { start: 0, end: sizeBytes - 1 };
  }
  const ranges = req.range(sizeBytes);
  if (ranges === -1) {
    return 'unsatisfiable';
  }
  const isOne = Array.isArray(ranges) && ranges.type === 'bytes' && ranges.length === 1;
  return isOne ? ranges[0] : undefined;
}

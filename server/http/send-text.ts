import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { type Body, joinBody, sizeOf } from './body.ts';
import type { ResponseFacts } from './cached-responses.ts';
import { acceptsGzip } from './encodings.ts';
import { type PreparedResponse, sendPrepared } from './prepared-response.ts';

/** Compression gains nothing for answers that fit into one packet. */
const minGzipBytes = 1400;
const compress = promisify(gzip);

export type TextDocument = {
  /** Name, value, name, value ... */
  readonly headers: readonly string[];
  readonly text: string | Body;
  /** Much shorter than the text, and equal exactly when the text is; it is hashed instead. */
  readonly identity?: string;
  /** What it is about, if that is not everything that the feed has. */
} & Pick<ResponseFacts, 'id' | 'isUnchanged'>;

/**
 * A document of a feed, with its length: choco 0.10.15 uses HTTP/1.0, which has no chunked encoding (spec nuget-v2 18.2). It is
 * mostly tags, so gzip reduces it to a tenth for clients that accept that. The ETag is made from the content, so that it stays
 * valid after a restore.
 */
export function prepareText(document: TextDocument, mayGzip: boolean): PreparedResponse {
  const { headers, text, identity, id, isUnchanged } = document;
  const whole: Body = typeof text === 'string' ? [text] : text;
  const isGzipped = mayGzip && sizeOf(whole) >= minGzipBytes;
  const digest = hash('sha256', identity ?? (typeof text === 'string' ? text : joinBody(text)), 'base64url');
  const etag = isGzipped ? `"${digest}-gzip"` : `"${digest}"`;
  const own = ['Vary', 'Accept-Encoding', 'ETag', etag];
  return {
    headers: [...headers, ...own, ...(isGzipped ? ['Content-Encoding', 'gzip'] : [])],
    etag,
    body: () => (isGzipped ? compress(joinBody(whole)) : whole),
    about: { kind: 'document', isUnchanged, ...(id !== undefined && { id }) },
  };
}

/** Sends one through Express. */
export function sendText(request: Request, response: Response, document: TextDocument): Promise<void> {
  return sendPrepared(request, response, prepareText(document, acceptsGzip(request)));
}

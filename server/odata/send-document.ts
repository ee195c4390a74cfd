import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { rememberAnswer } from '../http/known-answers.ts';

const contentTypes = {
  xml: 'application/xml;charset=utf-8',
  feed: 'application/atom+xml;type=feed;charset=utf-8',
  entry: 'application/atom+xml;type=entry;charset=utf-8',
  text: 'text/plain;charset=utf-8',
} as const;

/** What fits into one packet gains nothing. */
const minGzipBytes = 1400;
const compress = promisify(gzip);

/**
 * Sends a document whole and with its length: choco 0.10.15 asks by HTTP/1.0, where nothing may be chunked (spec nuget-v2
 * 18.2). A feed is mostly tags, so that gzip leaves a tenth of it for those who take it.
 */
export async function sendDocument(
  request: Request,
  response: Response,
  type: keyof typeof contentTypes,
  text: string,
): Promise<void> {
  const body = Buffer.from(text);
  const isGzipped = body.length >= minGzipBytes && request.acceptsEncodings('gzip', 'identity') === 'gzip';
  const digest = createHash('sha256').update(body).digest('base64url');
  response.setHeader('Content-Type', contentTypes[type]);
  // WCF refuses 3.0 and above (spec nuget-v2 section 1, point 9).
  response.setHeader('DataServiceVersion', '2.0;');
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('ETag', isGzipped ? `"${digest}-gzip"` : `"${digest}"`);
  if (isGzipped && request.fresh) {
    response.send(body);
    return;
  }
  if (isGzipped) response.setHeader('Content-Encoding', 'gzip');
  const sent = isGzipped ? await compress(body) : body;
  rememberAnswer(request, response, sent, { kind: 'document' });
  response.send(sent);
}

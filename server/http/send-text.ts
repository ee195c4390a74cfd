import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { rememberAnswer } from './known-answers.ts';

/** What fits into one packet gains nothing. */
const minGzipBytes = 1400;
const compress = promisify(gzip);

/**
 * Sends a document of a feed whole and with its length: choco 0.10.15 asks by HTTP/1.0, where nothing may be chunked
 * (spec nuget-v2 18.2). It is mostly tags, so that gzip leaves a tenth of it for those who take it. The ETag is of the
 * content, so that it stays true after a restored backup, too. To be called when the door's own headers are set.
 */
export async function sendText(request: Request, response: Response, text: string): Promise<void> {
  const body = Buffer.from(text);
  const isGzipped = body.length >= minGzipBytes && request.acceptsEncodings('gzip', 'identity') === 'gzip';
  const digest = createHash('sha256').update(body).digest('base64url');
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

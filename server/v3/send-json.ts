import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { rememberAnswer } from '../http/known-answers.ts';

/** What fits into one packet gains nothing. */
const minGzipBytes = 1400;
const compress = promisify(gzip);

/** Sends a document whole and with its length. The ETag is of the content, so that it stays true after a restored backup, too. */
export async function sendJson(
  request: Request,
  response: Response,
  cacheControl: string,
  document: object,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(document));
  const isGzipped = body.length >= minGzipBytes && request.acceptsEncodings('gzip', 'identity') === 'gzip';
  const digest = createHash('sha256').update(body).digest('base64url');
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Cache-Control', cacheControl);
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

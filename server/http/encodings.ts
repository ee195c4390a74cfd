import type { IncomingMessage } from 'node:http';
import { request } from 'express';

/** Whether the client accepts gzip and prefers it. Express parses the header, so that there is only one parser. */
export function acceptsGzip({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  // Without the header the answer is not compressed: many clients send none.
  if (headers['accept-encoding'] === undefined) return false;
  return request.acceptsEncodings.call({ headers }, 'gzip', 'identity') === 'gzip';
}

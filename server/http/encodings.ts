import type { IncomingMessage } from 'node:http';
import { request } from 'express';

/** Whether the asker would rather have it gzipped. Express itself reads the header, so that there is one reading of it. */
export function takesGzip({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  // Who says nothing wants it plain: many ask that way.
  if (headers['accept-encoding'] === undefined) return false;
  return request.acceptsEncodings.call({ headers }, 'gzip', 'identity') === 'gzip';
}

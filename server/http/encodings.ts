import type { IncomingMessage } from 'node:http';
import { request } from 'express';

/** Whether the client prefers gzip. Express itself parses the header, so that there is one parser for it. */
export function takesGzip({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  // Who says nothing wants it plain: many ask that way.
  if (headers['accept-encoding'] === undefined) return false;
  return request.acceptsEncodings.call({ headers }, 'gzip', 'identity') === 'gzip';
}

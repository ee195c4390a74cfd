import type { IncomingMessage } from 'node:http';

/** Whether the client already has these bytes and gets 304: a weak comparison, as RFC 9110 13.1.2 requires. */
export function clientHas({ headers }: IncomingMessage, etag: string | undefined): boolean {
  const header = headers['if-none-match'];
  if (header === undefined || etag === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

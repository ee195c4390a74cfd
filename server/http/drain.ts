import type { Server } from 'node:http';
import type { RequestHandler } from 'express';
import { fail } from '../errors.ts';

/** Requests that come over a connection which is still open are told to come back later, elsewhere or again. */
export function refuseWhenStopping(isStopping: () => boolean): RequestHandler {
  return (_req, res, next) => {
    if (isStopping()) {
      res.set('Connection', 'close');
      fail('SHUTTING_DOWN');
    }
    next();
  };
}

/** Ends a server: no new connections, idle ones closed at once, busy ones when they are through, or after `maxMs`. */
export async function drain(server: Server, maxMs: number): Promise<'drained' | 'cut off'> {
  let outcome: 'drained' | 'cut off' = 'drained';
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that becomes idle now would be kept for its next request.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => {
    outcome = 'cut off';
    server.closeAllConnections();
  }, maxMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
  return outcome;
}

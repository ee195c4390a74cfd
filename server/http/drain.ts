import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { RequestHandler } from 'express';
import { fail } from '../errors.ts';

/** Requests that come over a connection which is still open are told to come back later. */
export function refuseWhenStopping(isStopping: () => boolean): RequestHandler {
  return (_req, res, next) => {
    if (isStopping()) {
      res.set('Connection', 'close');
      fail('SHUTTING_DOWN');
    }
    next();
  };
}

export type Drain = (maxMs: number) => Promise<'drained' | 'cut off'>;

/**
 * How to end this server: no new connections, those without a request closed at once, the others when they are
 * through, or after `maxMs`. Node's own closeIdleConnections keeps connections that have not sent anything yet, as
 * browsers and proxies open them ahead.
 */
export function createDrain(server: Server): Drain {
  const running = new Map<Socket, number>();
  function count(socket: Socket, change: number): void {
    const before = running.get(socket);
    if (before !== undefined) {
      running.set(socket, before + change);
    }
  }
  // Requests belong to the encrypted socket where there is one, not to the bare one below it.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    running.set(socket, 0);
    socket.once('close', () => running.delete(socket));
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    count(req.socket, 1);
    res.once('close', () => count(req.socket, -1));
  });
  function closeIdle(): void {
    for (const [socket, requests] of running) {
      if (requests === 0) {
        socket.destroy();
      }
    }
  }
  return async (maxMs) => {
    let outcome: 'drained' | 'cut off' = 'drained';
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    closeIdle();
    // What becomes idle now would be kept for its next request.
    const sweep = setInterval(closeIdle, 50);
    const cut = setTimeout(() => {
      outcome = 'cut off';
      server.closeAllConnections();
    }, maxMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(cut);
    return outcome;
  };
}

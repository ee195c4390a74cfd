import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { RequestHandler } from 'express';
import { fail } from '../errors.ts';

/** Answers requests on open connections with 503 and when to try again. */
export function refuseWhenStopping(isStopping: () => boolean): RequestHandler {
  return (_req, res, next) => {
    if (isStopping()) {
      res.set('Connection', 'close');
      fail('SHUTTING_DOWN');
    }
    next();
  };
}

/**
 * Asks for a new connection for the next request: one that stays open keeps its client at this server, even where the load balancer
 * sends new connections to others.
 */
export function closeWhenLeaving(isLeaving: () => boolean): RequestHandler {
  return (_req, res, next) => {
    if (isLeaving()) res.set('Connection', 'close');
    next();
  };
}

export type DrainLimits = {
  /** How long a client may be idle, while it is its turn: not a byte in either direction. */
  readonly stalledMs: number;
  /** The time limit for everything, for slow clients. */
  readonly maxMs: number;
};
export type Drain = (limits: DrainLimits) => Promise<'drained' | 'cut off'>;

type Connection = {
  readonly requests: Map<IncomingMessage, ServerResponse>;
  bytes: number;
  sweepsWithoutBytes: number;
};
const sweepMs = 50;

/**
 * Stops a server: it accepts no new connections, closes those without a request at once, and the others when they have finished
 * or are idle. So a large download over a slow line can finish, and a client that is gone blocks nobody. Node's own
 * closeIdleConnections keeps connections that have not sent anything yet, which browsers and proxies open in advance.
 */
export function createDrain(server: Server): Drain {
  const connections = new Map<Socket, Connection>();
  // Requests belong to the encrypted socket if there is one, not to the raw one below it.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.set(socket, { requests: new Map(), bytes: 0, sweepsWithoutBytes: 0 });
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    const requests = connections.get(req.socket)?.requests;
    requests?.set(req, res);
    res.once('close', () => requests?.delete(req));
  });
  return async ({ stalledMs, maxMs }) => {
    let outcome: 'drained' | 'cut off' = 'drained';
    // Counts sweeps instead of time: while this process is blocked, clients are not to blame.
    function sweep(): void {
      for (const [socket, connection] of connections) {
        const bytes = socket.bytesRead + socket.bytesWritten;
        const isIdle = bytes === connection.bytes && !isOurTurn(connection);
        connection.sweepsWithoutBytes = isIdle ? connection.sweepsWithoutBytes + 1 : 0;
        connection.bytes = bytes;
        if (connection.requests.size === 0) {
          socket.destroy();
        } else if (connection.sweepsWithoutBytes * sweepMs > stalledMs) {
          outcome = 'cut off';
          socket.destroy();
        }
      }
    }
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    sweep();
    // A connection that becomes idle now would otherwise wait for its next request.
    const sweeps = setInterval(sweep, sweepMs);
    const cut = setTimeout(() => {
      outcome = 'cut off';
      server.closeAllConnections();
    }, maxMs);
    await closed;
    clearInterval(sweeps);
    clearTimeout(cut);
    return outcome;
  };
}

/** A request has come whole and its answer has not begun: an upload of gigabytes is on its way into an object store, for minutes. */
function isOurTurn({ requests }: Connection): boolean {
  return [...requests].some(([req, res]) => req.complete && !res.headersSent);
}

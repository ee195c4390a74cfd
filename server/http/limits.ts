import type { Server } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { areaOf } from './areas.ts';

const minuteMs = 60_000;

/** How long a connection may take for what; Node looks twice a minute. docs/operate/limits.md tells them. */
export const serverLimits = {
  /** From the connection, or the first byte of a further request, to the end of the headers. */
  headersMs: minuteMs,
  /** choco waits five hours for a push (spec nuget-v2 10.2); other requests are limited by limitRequestTime. */
  requestMs: 6 * 60 * minuteMs,
  /** Nothing moves in either direction: the other end is gone or stuck. */
  stillMs: 5 * minuteMs,
  /** Between two requests. Above the 60 s of common proxies, so that they, not we, close idle connections. */
  idleMs: 75_000,
};

/** Sets the time limits of the listener. */
export function limitServer(server: Server, limits: Partial<typeof serverLimits> = {}): void {
  const { headersMs, requestMs, stillMs, idleMs } = { ...serverLimits, ...limits };
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.timeout = stillMs;
  server.keepAliveTimeout = idleMs;
}

/** For the body of whatever is no upload. */
export const maxSmallRequestMs = minuteMs;

/** A request that is no upload must be there within a minute: nobody holds a connection by dribbling a small body. */
export function limitRequestTime(maxMs: number = maxSmallRequestMs): RequestHandler {
  return (req, res, next) => {
    const hasBody =
      req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
    if (hasBody && areaOf(req.path).isForUploads !== true) {
      const timer = setTimeout(() => req.complete || req.socket.destroy(), maxMs).unref();
      res.once('close', () => clearTimeout(timer));
    }
    next();
  };
}

/** Enough for a package that is sent before its key is asked for; the rest is not worth the wire. */
export const maxDiscardBytes = 256 * 1024 ** 2;
/** As long: who dribbles it needs no key, and would hold the connection for hours. */
export const maxDiscardMs = 5 * minuteMs;

/**
 * Reads and drops what is still to come of a request that is refused: clients that send first and read later would
 * see a broken connection instead of the answer (spec nuget-v2 2.4). More than `maxBytes` or `maxMs` of it ends the
 * connection.
 */
export function discardRest(
  req: Request,
  maxBytes: number = maxDiscardBytes,
  maxMs: number = maxDiscardMs,
): void {
  if (req.complete && req.readableEnded) {
    return;
  }
  const timer = setTimeout(() => req.socket.destroy(), maxMs).unref();
  req.once('close', () => clearTimeout(timer));
  let discardedBytes = 0;
  req.unpipe();
  req.removeAllListeners('data');
  req.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > maxBytes) {
      req.socket.destroy();
    }
  });
  // A sender who goes away while it is refused is no news.
  req.on('error', () => undefined);
  req.resume();
}

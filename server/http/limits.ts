import type { Server } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { areaOf } from './areas.ts';

const minuteMs = 60_000;

/** How long a connection may take; Node checks every 30 seconds. Documented in docs/operate/limits.md. */
export const serverLimits = {
  /** From the connection, or the first byte of a further request, to the end of the headers. */
  headersMs: minuteMs,
  /** choco waits five hours for a push (spec nuget-v2 10.2); limitRequestTime limits other requests. */
  requestMs: 6 * 60 * minuteMs,
  /** Without a byte in either direction for this long, the other end is gone or stuck. */
  stalledMs: 5 * minuteMs,
  /** Between two requests. Above the 60 s of common proxies, so that they close idle connections and not we. */
  idleMs: 75_000,
};

/** Sets the time limits of the listener. */
export function limitServer(server: Server, limits: Partial<typeof serverLimits> = {}): void {
  const { headersMs, requestMs, stalledMs, idleMs } = { ...serverLimits, ...limits };
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.timeout = stalledMs;
  server.keepAliveTimeout = idleMs;
}

/** For the body of any request that is not an upload. */
export const maxSmallRequestMs = minuteMs;

/**
 * Any request but an upload has to arrive within a minute, so that nobody can hold a connection by sending a small body slowly.
 */
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

/** Enough for a package that is sent before a key is requested; more is not worth the bandwidth. */
export const maxDiscardBytes = 256 * 1024 ** 2;
/** A slow sender needs no key, and would hold the connection for hours. */
export const maxDiscardMs = 5 * minuteMs;

/**
 * Reads and drops the rest of a refused request: clients that send everything before they read would see a broken connection
 * instead of the answer (spec nuget-v2 2.4). More than `maxBytes` or `maxMs` ends the connection.
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
  // A refused sender who goes away needs no log line.
  req.on('error', () => undefined);
  req.resume();
}

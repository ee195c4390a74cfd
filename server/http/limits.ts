import type { Server } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { areaOf } from './areas.ts';

const minuteMs = 60_000;

/** Time limits of the listener. */
export function limitServer(server: Server): void {
  server.headersTimeout = minuteMs;
  // choco waits five hours for a push (spec nuget-v2 10.2); other requests are limited by limitRequestTime.
  server.requestTimeout = 6 * 60 * minuteMs;
  // Nothing moves in either direction: the other end is gone or stuck.
  server.timeout = 5 * minuteMs;
  // Above the 60 s of common proxies, so that they, not we, close idle connections.
  server.keepAliveTimeout = 75_000;
}

/** A request that is no upload must be there within a minute: nobody holds a connection by dribbling a small body. */
export function limitRequestTime(maxMs: number = minuteMs): RequestHandler {
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
const maxDiscardBytes = 256 * 1024 ** 2;

/**
 * Reads and drops what is still to come of a request that is refused: clients that send first and read later would
 * see a broken connection instead of the answer (spec nuget-v2 2.4). More than `maxBytes` ends the connection.
 */
export function discardRest(req: Request, maxBytes: number = maxDiscardBytes): void {
  if (req.complete && req.readableEnded) {
    return;
  }
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

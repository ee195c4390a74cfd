import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { type Logger, redactUrl } from '../log.ts';
import { areaOf } from './areas.ts';
import { keyNameOf } from './auth.ts';

const requestIds = new WeakMap<object, string>();

/** The same id in log, header and error body. */
export function requestIdOf(req: object): string {
  return requestIds.get(req) ?? '';
}

/** One line for each request, when its answer is out or the asker is gone. */
export function createRequestLog(log: Logger): RequestHandler {
  return (req, res, next) => {
    const requestId = randomUUID();
    const started = process.hrtime.bigint();
    const sentBefore = req.socket.bytesWritten;
    requestIds.set(req, requestId);
    res.setHeader('X-Request-Id', requestId);
    const { path, socket, ip } = req;
    res.once('close', () => {
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      log.info(
        {
          requestId,
          method: req.method,
          url: redactUrl(req.originalUrl).slice(0, 2048),
          route: areaOf(path).label,
          status: res.headersSent ? res.statusCode : undefined,
          ms: Math.round(ms * 10) / 10,
          bytes: socket.bytesWritten - sentBefore,
          from: ip,
          keyName: keyNameOf(req),
          isCutOff: res.writableFinished ? undefined : true,
        },
        'request',
      );
    });
    next();
  };
}

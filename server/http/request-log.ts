import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Tracer } from '../../tracing/tracer.ts';
import { createLineWriter, type Logger, redactUrl } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { AccessLog } from '../settings.ts';
import { areaOf } from './areas.ts';
import { keyNameOf } from './auth.ts';
import { downloadFields, isBroken } from './download-count.ts';
import { beginRequestTrace } from './request-trace.ts';

const requestIds = new WeakMap<object, string>();

/** The same id in log, header and error body. */
export function requestIdOf(req: object): string {
  return requestIds.get(req) ?? '';
}

/** What is known about a request before it is answered. */
export type RequestStart = {
  /** Safe for the log. */
  readonly url: string;
  readonly route: string;
  /** The client's address. */
  readonly from: string | undefined;
};

/** The log line of a request. */
export type RequestLine = RequestStart & {
  readonly requestId: string;
  readonly method: string | undefined;
  /** Absent when the client left before there was a response. */
  readonly status: number | undefined;
  readonly ms: number;
  /** Bytes sent, including headers. */
  readonly bytes: number;
  readonly keyName: string | undefined;
  readonly isCutOff: true | undefined;
  /** Where the request's trace is kept. */
  readonly traceId: string | undefined;
} & Partial<ReturnType<typeof downloadFields>>;

/**
 * Gives the request its id, and writes its log line when the response is sent or the client is gone, if ACCESS_LOG asks for it. A
 * request that the response cache already watches, and then passed to Express, keeps its id.
 */
export type WatchRequest = (req: IncomingMessage, res: ServerResponse, start: RequestStart) => string;

export function createRequestWatch(
  log: Logger,
  observe: Metrics['observeRequest'],
  accessLog: AccessLog,
  tracer?: Tracer,
): WatchRequest {
  // Without redaction: the address is already safe, and no other field can contain a secret.
  const write = createLineWriter(log, 'request');
  return (req, res, { url, route, from }) => {
    const watched = requestIds.get(req);
    if (watched !== undefined) return watched;
    const requestId = randomUUID();
    const { socket } = req;
    const started = performance.now();
    const sentBefore = socket.bytesWritten;
    const endTrace = beginRequestTrace(tracer);
    requestIds.set(req, requestId);
    // Comes once by itself; `once` would wrap the listener.
    res.on('close', () => {
      const { method } = req;
      const status = res.headersSent ? res.statusCode : undefined;
      const ms = Math.round((performance.now() - started) * 10) / 10;
      observe(route, method, status, ms);
      const isWhole = res.writableFinished && !isBroken(req);
      const isCutOff = isWhole ? undefined : true;
      const bytes = socket.bytesWritten - sentBefore;
      const traceId = endTrace?.(req, { requestId, route, status, ms, bytes, isCutOff });
      const isGood = status !== undefined && status < 400 && isWhole;
      if (accessLog === 'off' || (accessLog === 'errors' && isGood)) return;
      const line: RequestLine = {
        requestId,
        method,
        url,
        route,
        status,
        ms,
        bytes,
        from,
        keyName: keyNameOf(req),
        isCutOff,
        traceId,
        ...downloadFields(req),
      };
      write(fieldsOf(line));
    });
    return requestId;
  };
}

/** As JSON; what is absent is left out. */
function fieldsOf(line: RequestLine): string {
  const { requestId, method, url, route, status, ms, bytes, from, keyName, isCutOff, traceId } = line;
  const always = `"requestId":"${requestId}","method":"${method ?? ''}","url":${JSON.stringify(url)},"route":"${route}"`;
  const size = `${field('status', status)},"ms":${ms},"bytes":${bytes}${field('from', from)}`;
  const rare = `${field('keyName', keyName)}${field('isCutOff', isCutOff)}${field('traceId', traceId)}`;
  if (line.id === undefined) return always + size + rare;
  const { id, version, file, client } = line;
  const download = `${field('id', id)}${field('version', version)}${field('file', file)}${field('client', client)}`;
  return always + size + rare + download;
}

function field(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}

/** For requests that reach Express. */
export function createRequestLog(watch: WatchRequest): RequestHandler {
  return (req, res, next) => {
    const start = { url: loggedUrl(req.originalUrl), route: areaOf(req.path).label, from: req.ip };
    res.setHeader('X-Request-Id', watch(req, res, start));
    next();
  };
}

/** The form of an address in the log. */
export function loggedUrl(url: string): string {
  return redactUrl(url).slice(0, 2048);
}

import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { describeTrace } from '../../tracing/spans.ts';
import { FeedError, fail } from '../errors.ts';
import type { Logger } from '../log.ts';
import { areaOf } from './areas.ts';
import { type ErrorBody, type ErrorResponse, errorBodies, reasonPhrase } from './error-body.ts';
import { discardRest } from './limits.ts';
import type { NoteRefusal } from './note-refusal.ts';
import { requestIdOf } from './request-log.ts';
import { pagePolicy } from './security-headers.ts';

/**
 * The only place where an error becomes an HTTP answer, in the client's format. Its sentence is in the reason phrase and again in
 * the body, since proxies drop reason phrases (spec nuget-v2 15, trap 30).
 */
export function createErrorHandler(
  log: Logger,
  renderPage: (answer: ErrorResponse) => ErrorBody = errorBodies.text,
  noteRefusal: NoteRefusal = () => undefined,
): ErrorRequestHandler {
  // Express recognizes an error handler by its four parameters.
  return (error: unknown, req: Request, res: Response, _next) => {
    const known = toFeedError(error, req);
    describeTrace({ 'error.type': known.code });
    if (req.socket.destroyed && isBrokenConnection(error)) {
      // The client is gone; the request's log line says so.
      return;
    }
    if (known.status >= 500) {
      log.error(
        { requestId: requestIdOf(req), code: known.code, err: known.cause ?? known },
        'request failed',
      );
    }
    noteRefusal(known, req);
    if (res.headersSent) {
      // Half an answer must not look complete.
      res.destroy();
      return;
    }
    const answer = {
      status: known.status,
      code: known.code,
      message: known.message,
      requestId: requestIdOf(req),
      ...(known.status === 409 && typeof known.details.state === 'string'
        ? { state: known.details.state }
        : {}),
    };
    const language = languageOf(req);
    const { type, body } = language === 'page' ? renderPage(answer) : errorBodies[language](answer);
    for (const name of res.getHeaderNames().filter((name) => /^(etag|content-|last-modified)/.test(name))) {
      if (name !== 'content-security-policy') {
        res.removeHeader(name);
      }
    }
    if (language === 'page') {
      res.set('Content-Security-Policy', pagePolicy);
    }
    if (known.status === 401) {
      // The only challenge that choco, nuget.exe and git understand (spec nuget-v2 2.4).
      res.set('WWW-Authenticate', 'Basic realm="go-win-tools", charset="UTF-8"');
    }
    if (known.status === 503 || known.status === 429) {
      res.set('Retry-After', '5');
    }
    if (known.details.allowed !== undefined) {
      res.set('Allow', String(known.details.allowed));
    }
    res.set('Cache-Control', 'no-store');
    res.statusCode = known.status;
    res.statusMessage = reasonPhrase(known.message);
    discardRest(req);
    res.set('Content-Type', type).set('Content-Length', String(Buffer.byteLength(body)));
    res.end(req.method === 'HEAD' ? undefined : body);
  };
}

/** The last route. */
export const routeNotFound: RequestHandler = (req) => fail('ROUTE_UNKNOWN', { path: req.path.slice(0, 200) });

/** For a known path, after its methods: `allowed` is the Allow header. */
export function methodNotAllowed(allowed: string): RequestHandler {
  return (req) => fail('METHOD_NOT_ALLOWED', { method: req.method, allowed });
}

/** Feed clients read XML from GET and only the reason phrase otherwise; people read what their browser asked for. */
function languageOf(req: Request): keyof typeof errorBodies | 'page' {
  const { errors } = areaOf(req.path);
  if (errors === 'odata') {
    return ['GET', 'HEAD'].includes(req.method) ? 'odata' : 'text';
  }
  return errors === 'page' && !/text\/html/i.test(req.headers.accept ?? '') ? 'text' : errors;
}

/** Errors of Express and its body parser have a `status` when the request is at fault (such as a `%` that encodes nothing). */
function toFeedError(error: unknown, req: Request): FeedError {
  if (error instanceof FeedError) {
    return error;
  }
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (typeof status !== 'number' || status < 400 || status > 499) {
    return new FeedError('INTERNAL', {}, error);
  }
  if (status === 413) {
    // Of raw-body; a form with too many fields has none.
    const limit =
      error instanceof Error && 'limit' in error ? `${String(error.limit)} bytes` : 'a few form fields';
    return new FeedError('BODY_TOO_LARGE', { limit }, error);
  }
  const problem = error instanceof Error ? error.message : '';
  return isPathReadable(req.path)
    ? new FeedError('BODY_INVALID', { problem }, error)
    : new FeedError(
        'PATH_INVALID',
        { problem: 'it has a percent sign that does not begin an escape of UTF-8 text.' },
        error,
      );
}

/** Errors of streams when the other end went away; any other is a bug that deserves a log line. */
function isBrokenConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return [
    'ERR_STREAM_PREMATURE_CLOSE',
    'ERR_STREAM_DESTROYED',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
  ].includes(code);
}

function isPathReadable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

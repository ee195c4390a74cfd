import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Revisions } from '../catalog/revisions.ts';
import { inTurn } from '../pause.ts';
import { subjectOf } from './areas.ts';
import { canRead, type FindKey } from './auth.ts';
import { lendBody, sizeOf } from './body.ts';
import { type CachedResponse, createCachedResponses, placeOf } from './cached-responses.ts';
import { acceptsGzip } from './encodings.ts';
import { clientHas } from './if-none-match.ts';
import type { Peer } from './peer.ts';
import { plusSignOf } from './plus-sign.ts';
import type { PreparedResponse, PrepareResponse, Route } from './prepared-response.ts';
import { needsKey, type ReadAuth } from './read-access.ts';
import type { RequestStart, WatchRequest } from './request-log.ts';
import { pathOf, plainTarget } from './request-target.ts';
import { unsent } from './unsent.ts';

export type ResponseCacheOptions = {
  readonly routes: readonly Pick<Route, 'mount' | 'prepare'>[];
  readonly revisions: Revisions;
  readonly maxBytes: number;
  readonly readAuth: ReadAuth;
  readonly findKey: FindKey;
  readonly watch: WatchRequest;
  /** The client as Express sees it. */
  readonly readPeer: (req: IncomingMessage) => Peer;
  readonly isStopping: () => boolean;
  /** On every response: name, value, name, value ... */
  readonly securityHeaders: readonly string[];
};

/**
 * Runs before Express: answers a request from bytes that were prepared once, or lets a route prepare them now, without the stack
 * of handlers, which takes several times as long as the response (decision 16). It keeps Express' guarantees: a key where reading
 * needs one, one log line, the same headers, counting. Anything but a plain request (a body, a range, a wrong key, a stopping
 * server), and anything that a route does not answer with 200, goes to Express.
 */
export function createResponseCache(
  options: ResponseCacheOptions,
  express: RequestListener,
): RequestListener {
  const { revisions, maxBytes, readAuth, findKey, watch, readPeer, isStopping, securityHeaders } = options;
  const responses = createCachedResponses(maxBytes);
  const routes = options.routes.filter(isPrepared);

  return (req, res) => {
    if (isStopping() || !isPlain(req)) return express(req, res);
    if (readAuth === undefined) return answer(req, res);
    const path = pathOf(plainTarget(req.url ?? '/'));
    if (!needsKey(readAuth, path)) return answer(req, res);
    // Errors are left to Express, which finds them again and reports them.
    void canRead(req, readPeer(req), subjectOf(path), findKey)
      .catch(() => false)
      .then((isAllowed) => (isAllowed ? answer(req, res) : express(req, res)))
      .catch(() => res.destroy());
  };

  function answer(req: IncomingMessage, res: ServerResponse, now = revisions.known()): void {
    if (now === undefined) {
      void revisions
        .read()
        .then(
          (read) => answer(req, res, read),
          () => express(req, res),
        )
        .catch(() => res.destroy());
      return;
    }
    const cached = responses.find(req, now);
    if (cached !== undefined) {
      if (!isForEveryClient(cached, req)) {
        express(req, res);
        return;
      }
      const start = { ...cached.place, from: readPeer(req).address };
      send(req, res, cached, watch(req, res, start), start);
      return;
    }
    const target = plainTarget(req.url ?? '/');
    const path = pathOf(target);
    const route = routeOf(path);
    if (route === undefined) {
      express(req, res);
      return;
    }
    // Watched from here on, whoever answers in the end, so that the time for preparing counts too.
    const start = { ...placeOf(target), from: readPeer(req).address };
    const requestId = watch(req, res, start);
    inTurn((hasWaited) => {
      if (res.closed) return;
      // If many ask for the same at once, the first request may have prepared it meanwhile.
      const later = hasWaited ? revisions.known() : undefined;
      const prepared = later && responses.find(req, later);
      const isReady = prepared !== undefined && isForEveryClient(prepared, req);
      void (isReady ? Promise.resolve(prepared) : prepareWith(route, req, target, path, start.from))
        .catch(() => undefined)
        .then((whole) => (whole === undefined ? express(req, res) : send(req, res, whole, requestId, start)))
        // Half a response must not look complete, and one request must not end the server.
        .catch(() => res.destroy());
    });
  }

  function routeOf(path: string): PreparedRoute | undefined {
    const lower = path.toLowerCase();
    return routes.find(({ mount }) => lower.startsWith(mount) && /^\/?$/.test(lower.charAt(mount.length)));
  }

  async function prepareWith(
    { mount, prepare }: PreparedRoute,
    req: IncomingMessage,
    target: string,
    path: string,
    from: string | undefined,
  ): Promise<Outgoing | undefined> {
    const prepared = await prepare({
      mount: path.slice(0, mount.length),
      rawPath: path.slice(mount.length),
      rawQuery: target.slice(path.length + 1),
      plusSign: plusSignOf(req.headers['user-agent']),
      acceptsGzip: acceptsGzip(req),
      isConditional: req.headers['if-none-match'] !== undefined,
      from,
    });
    if (prepared === undefined) return undefined;
    const { etag, about } = prepared;
    if (clientHas(req, etag)) return { headers: wholeHeaders(prepared), etag, about, body: nothing };
    const body = await prepared.body();
    const headers = [...wholeHeaders(prepared), 'Content-Length', String(sizeOf(body))];
    const kept = responses.keep(req, { headers, etag, about, body });
    if (kept !== undefined) return { headers, etag, about, body: kept };
    const { bytes, giveBack } = lendBody(body);
    return { headers, etag, about, body: bytes, giveBack };
  }

  function wholeHeaders({ headers }: PreparedResponse): string[] {
    return ['X-Request-Id', '', ...securityHeaders, ...headers];
  }
}

/** Call `giveBack` when the operating system has the whole body. */
type Outgoing = CachedResponse & { readonly giveBack?: (() => void) | undefined };

type PreparedRoute = { readonly mount: string; readonly prepare: PrepareResponse };

function isPrepared(route: Pick<Route, 'mount' | 'prepare'>): route is PreparedRoute {
  return route.prepare !== undefined;
}

const nothing = Buffer.alloc(0);

/** GET or HEAD without a body, and without conditions that only a route can check. */
export function isPlain({ method, headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.range === undefined &&
    headers['if-modified-since'] === undefined
  );
}

export function isForEveryClient({ about, etag }: CachedResponse, { headers }: IncomingMessage): boolean {
  return headers['if-none-match'] === undefined || (about.kind === 'document' && etag !== undefined);
}

export function send(
  req: IncomingMessage,
  res: ServerResponse,
  { headers, etag, body, about, giveBack }: Outgoing,
  requestId: string,
  { from }: RequestStart,
): void {
  const wholeSent = about.begin?.(req, from);
  if (clientHas(req, etag)) {
    res.writeHead(304, withId(headers.filter(isNotOfBody), requestId)).end();
    return;
  }
  res.writeHead(200, withId(headers.slice(), requestId));
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  // Comes once by itself; `once` would wrap the listeners.
  if (wholeSent !== undefined) res.on('finish', wholeSent);
  if (giveBack !== undefined) res.on('finish', giveBack);
  res.end(body);
  if (res.writableLength > 0) unsent.hold(res, body, from);
}

function withId(headers: string[], requestId: string): string[] {
  headers[headers.indexOf('X-Request-Id') + 1] = requestId;
  return headers;
}

/** Whether a 304 includes this name or value of a header: those that describe the body are left out. */
function isNotOfBody(_part: string, at: number, headers: readonly string[]): boolean {
  return !/^content-(type|length|encoding)$/i.test(headers[at - (at % 2)] ?? '');
}

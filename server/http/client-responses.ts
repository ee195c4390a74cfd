import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { RevisionNumbers } from '../catalog/revisions.ts';
import { readClientId } from '../clients/client-id.ts';
import { plainView, type View } from '../rollout/views.ts';
import { subjectOf } from './areas.ts';
import { canRead } from './auth.ts';
import { joinBody } from './body.ts';
import {
  type CachedResponse,
  createCachedResponses,
  type Place,
  placeOf,
  type ResponseFacts,
} from './cached-responses.ts';
import type { ClientAddresses } from './client-address.ts';
import { withClient } from './client-body.ts';
import { anyClient, type ClientPath, readClientPath } from './client-path.ts';
import { clientHas } from './if-none-match.ts';
import { plusSignOf } from './plus-sign.ts';
import type { PreparedResponse, Route } from './prepared-response.ts';
import { needsKey } from './read-access.ts';
import { loggedUrl } from './request-log.ts';
import { pathOf, plainTarget } from './request-target.ts';
import { isForEveryClient, isPlain, type ResponseCacheOptions, send } from './response-cache.ts';
import { viewNumber } from './view-number.ts';

export type ClientResponseOptions = Omit<ResponseCacheOptions, 'routes'> & {
  readonly addresses: Pick<ClientAddresses, 'isAllowed'>;
  readonly viewOf: (req: IncomingMessage, id: string, from: string | undefined) => View | Promise<View>;
  /** The routes of a view, at mount points whose client is `anyClient`. */
  readonly routesOf: (view: View) => readonly Pick<Route, 'mount' | 'prepare'>[];
};

/**
 * What the response cache does, for the addresses of single clients: `/nuget/c/ID` and the like. Responses are kept by view and
 * not by client, with `anyClient` in the place of the id, which is put in when a response is sent: ten thousand clients that see
 * the same cost what one costs. They are never compressed, since that would take longer than making them. Addresses for everybody
 * go to `plain`.
 */
export function createClientResponses(
  options: ClientResponseOptions,
  express: RequestListener,
  plain: RequestListener,
): RequestListener {
  const { revisions, maxBytes, readAuth, findKey, watch, readPeer, isStopping, securityHeaders } = options;
  const { addresses, viewOf, routesOf } = options;
  // Each answer is put together from pieces of it.
  const responses = createCachedResponses(maxBytes, Buffer.allocUnsafeSlow);

  return (req, res) => {
    const target = plainTarget(req.url ?? '/');
    const path = pathOf(target);
    const address = readClientPath(path);
    if (address === undefined) {
      plain(req, res);
      return;
    }
    const id = readClientId(address.client);
    if (id === undefined || isStopping() || !isPlain(req)) {
      express(req, res);
      return;
    }
    const rawQuery = target.slice(path.length + 1);
    const asked = { req, from: readPeer(req).address, target, path, rawQuery, address, id };
    let view: View | Promise<View | undefined>;
    try {
      // Usually all is known, and a promise takes as long as finding the response.
      view = viewFor(asked);
      const now = revisions.known();
      const cached = view instanceof Promise || now === undefined ? undefined : findCached(asked, view, now);
      if (cached !== undefined && isForEveryClient(cached, req)) {
        answer(asked, res, cached);
        return;
      }
    } catch {
      // A row that cannot be read must not end the server. Express finds the error again and reports it.
      leave(req, res);
      return;
    }
    void prepare(asked, res, view)
      .catch(() => undefined)
      .then((found) => {
        if (found !== undefined) return answer(asked, res, found);
        leave(req, res);
      })
      .catch(() => res.destroy());
  };

  function leave(req: IncomingMessage, res: ServerResponse): void {
    if (res.headersSent) {
      res.destroy();
      return;
    }
    // It would have the id of this client in its addresses.
    responses.leaveOut(req);
    express(req, res);
  }

  /** Undefined: Express says why the client may not have it. */
  function viewFor({ req, from, path, id }: Asked): View | Promise<View | undefined> {
    const isAllowed = readAuth === undefined && addresses.isAllowed(id);
    if (isAllowed === true) return viewOf(req, id, from);
    return mayAsk(req, path, id).then((may) => (may ? viewOf(req, id, from) : undefined));
  }

  async function mayAsk(req: IncomingMessage, path: string, id: string): Promise<boolean> {
    if (needsKey(readAuth, path)) {
      if (!(await canRead(req, readPeer(req), subjectOf(path), findKey, id))) return false;
    } else if (readAuth !== undefined) return false;
    return addresses.isAllowed(id);
  }

  /** What is only about ids that no rollout of the view concerns is kept once, as everybody sees it. */
  function findCached({ req, address, rawQuery }: Asked, view: View, now: RevisionNumbers) {
    const { base, rest } = address;
    const plusSign = rawQuery.includes('+') ? plusSignOf(req.headers['user-agent']) : '';
    const rawKey = `\n${plusSign}\n${base}${rest}?${rawQuery}`;
    const keyIn = (seen: View): string => `${viewNumber(seen)}${rawKey}`;
    const shared = keyIn(plainView);
    const isShared = ({ id }: ResponseFacts): boolean => id !== undefined && !concerns(view, id);
    const found = responses.find(req, now, shared);
    if (view.grants.length === 0 || (found !== undefined && isShared(found.about))) return found;
    const own = keyIn(view);
    return responses.find(req, now, own, (about) => (isShared(about) ? shared : own));
  }

  async function prepare(
    asked: Asked,
    res: ServerResponse,
    awaited: View | Promise<View | undefined>,
  ): Promise<Shared | undefined> {
    const { req, from, target, address, rawQuery } = asked;
    const view = await awaited;
    if (view === undefined) return undefined;
    const now = revisions.known() ?? (await revisions.read());
    const cached = findCached(asked, view, now);
    if (cached !== undefined) return isForEveryClient(cached, req) ? cached : undefined;
    const whole = `${address.base}/c/${anyClient}${address.rest}`;
    const route = routeOf(routesOf(view), whole);
    if (route === undefined || res.closed) return undefined;
    const place = placeOf(target);
    watch(req, res, { ...place, from });
    const prepared = await route.prepare?.({
      mount: whole.slice(0, route.mount.length),
      rawPath: whole.slice(route.mount.length),
      rawQuery,
      plusSign: plusSignOf(req.headers['user-agent']),
      acceptsGzip: false,
      isConditional: req.headers['if-none-match'] !== undefined,
      from,
    });
    if (prepared === undefined) return undefined;
    const { etag, about } = prepared;
    const headers = wholeHeaders(prepared);
    if (clientHas(req, etag)) return { headers, etag, about, place, body: Buffer.alloc(0) };
    const body = joinBody(await prepared.body());
    const kept = responses.keep(req, { headers, etag, about, body });
    return { headers, etag, about, place, body: kept ?? body };
  }

  function answer({ req, from, address, id }: Asked, res: ServerResponse, found: Shared): void {
    const { headers, etag, about, place, body } = found;
    const { route } = place;
    const start = { url: `${loggedUrl(address.written)}${behindClient(place)}`, route, from };
    const { bytes, giveBack } = about.kind === 'document' ? withClient(body, about, id) : { bytes: body };
    const length = ['Content-Length', String(bytes.length)];
    const whole = { headers: [...headers, ...length], etag, about, body: bytes, giveBack };
    send(req, res, whole, watch(req, res, start), start);
  }

  function wholeHeaders({ headers }: PreparedResponse): string[] {
    return ['X-Request-Id', '', ...securityHeaders, ...headers];
  }
}

/** A request at the address of a client. */
type Asked = {
  readonly req: IncomingMessage;
  /** The client's address, as the log shows it. */
  readonly from: string | undefined;
  readonly target: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly address: ClientPath;
  readonly id: string;
};

/** A response with `anyClient` in it, without Content-Length, and where a client asked for it, this one or another. */
type Shared = CachedResponse & { readonly place: Place };

const behind = new WeakMap<Place, string>();

/** What comes after the client is the same for all that share a response, and was made safe for the log before. */
function behindClient(place: Place): string {
  let text = behind.get(place);
  if (text === undefined) {
    text = place.url.slice(readClientPath(pathOf(place.url))?.written.length ?? 0);
    behind.set(place, text);
  }
  return text;
}

function routeOf(routes: readonly Pick<Route, 'mount' | 'prepare'>[], path: string) {
  const lower = path.toLowerCase();
  return routes.find(
    ({ mount, prepare }) =>
      prepare !== undefined && lower.startsWith(mount) && /^\/?$/.test(lower.charAt(mount.length)),
  );
}

function concerns({ grants }: View, id: string): boolean {
  return grants.some((grant) => grant.id.toLowerCase() === id.toLowerCase());
}

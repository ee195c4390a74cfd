import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { readClientId } from '../clients/client-id.ts';
import type { View } from '../rollout/views.ts';
import { subjectOf } from './areas.ts';
import { canRead } from './auth.ts';
import { joinBody, type Lent, lendFilled, splitAt, type Template } from './body.ts';
import {
  type CachedResponse,
  createCachedResponses,
  placeOf,
  type ResponseFacts,
} from './cached-responses.ts';
import type { ClientAddresses } from './client-address.ts';
import { anyClient, type ClientPath, readClientPath } from './client-path.ts';
import { clientHas } from './if-none-match.ts';
import { plusSignOf } from './plus-sign.ts';
import type { PreparedResponse, Route } from './prepared-response.ts';
import { needsKey } from './read-access.ts';
import { pathOf, plainTarget } from './request-target.ts';
import { isForEveryClient, isPlain, type ResponseCacheOptions, send } from './response-cache.ts';

export type ClientResponseOptions = Omit<ResponseCacheOptions, 'routes'> & {
  readonly addresses: Pick<ClientAddresses, 'isAllowed'>;
  readonly viewOf: (req: IncomingMessage, id: string, from: string | undefined) => Promise<View>;
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
  const keys = new WeakMap<IncomingMessage, string>();
  const responses = createCachedResponses(maxBytes, (req) => keys.get(req) ?? '');

  return (req, res) => {
    const target = plainTarget(req.url ?? '/');
    const address = readClientPath(pathOf(target));
    if (address === undefined) {
      plain(req, res);
      return;
    }
    const id = readClientId(address.client);
    if (id === undefined || isStopping() || !isPlain(req)) {
      express(req, res);
      return;
    }
    void find(req, res, target, address, id)
      .catch(() => undefined)
      .then((found) => {
        if (found !== undefined) return answer(req, res, target, found, id);
        // It would have the id of this client in its addresses.
        responses.leaveOut(req);
        express(req, res);
      })
      .catch(() => res.destroy());
  };

  async function find(
    req: IncomingMessage,
    res: ServerResponse,
    target: string,
    address: ClientPath,
    id: string,
  ): Promise<Shared | undefined> {
    const path = pathOf(target);
    const peer = readPeer(req);
    if (needsKey(readAuth, path)) {
      if (!(await canRead(req, peer, subjectOf(path), findKey, id))) return undefined;
    } else if (readAuth !== undefined) return undefined;
    if (!(await addresses.isAllowed(id))) return undefined;
    const view = await viewOf(req, id, peer.address);
    const now = revisions.known() ?? (await revisions.read());
    const mount = `${address.base}/c/${anyClient}`;
    const rawQuery = target.slice(path.length + 1);
    const plusSign = plusSignOf(req.headers['user-agent']);
    keys.set(req, `${viewText(view)}\n${plusSign}\n${mount}${address.rest}?${rawQuery}`);
    const cached = responses.find(req, now);
    if (cached !== undefined) return isForEveryClient(cached, req) ? cached : undefined;
    const route = routeOf(routesOf(view), `${mount}${address.rest}`);
    if (route === undefined || res.closed) return undefined;
    watch(req, res, { ...placeOf(target), from: peer.address });
    const whole = `${mount}${address.rest}`;
    const prepared = await route.prepare?.({
      mount: whole.slice(0, route.mount.length),
      rawPath: whole.slice(route.mount.length),
      rawQuery,
      plusSign,
      acceptsGzip: false,
      isConditional: req.headers['if-none-match'] !== undefined,
      from: peer.address,
    });
    if (prepared === undefined) return undefined;
    const { etag, about } = prepared;
    const headers = wholeHeaders(prepared);
    if (clientHas(req, etag)) return { headers, etag, about, body: Buffer.alloc(0) };
    const body = joinBody(await prepared.body());
    return { headers, etag, about, body: responses.keep(req, { headers, etag, about, body }) ?? body };
  }

  function answer(
    req: IncomingMessage,
    res: ServerResponse,
    target: string,
    { headers, etag, about, body }: Shared,
    id: string,
  ): void {
    const start = { ...placeOf(target), from: readPeer(req).address };
    const { bytes, giveBack } = about.kind === 'document' ? withClient(body, about, id) : { bytes: body };
    const length = ['Content-Length', String(bytes.length)];
    const whole = { headers: [...headers, ...length], etag, about, body: bytes, giveBack };
    send(req, res, whole, watch(req, res, start), start);
  }

  function wholeHeaders({ headers }: PreparedResponse): string[] {
    return ['X-Request-Id', '', ...securityHeaders, ...headers];
  }
}

/** A response with `anyClient` in it, without Content-Length. */
type Shared = CachedResponse;

function routeOf(routes: readonly Pick<Route, 'mount' | 'prepare'>[], path: string) {
  const lower = path.toLowerCase();
  return routes.find(
    ({ mount, prepare }) =>
      prepare !== undefined && lower.startsWith(mount) && /^\/?$/.test(lower.charAt(mount.length)),
  );
}

const texts = new WeakMap<View, string>();

/** Equal for views in which clients see the same. The key of a view would not do: what its rollouts show changes. */
export function viewText(view: View): string {
  let text = texts.get(view);
  if (text === undefined) {
    text = JSON.stringify(view.grants.map(({ id, version, isListed }) => [id, version, isListed]));
    texts.set(view, text);
  }
  return text;
}

const placeholder = Buffer.from(anyClient);
/** Where the client has its places, by the facts that stay with a response. */
const templates = new WeakMap<ResponseFacts, { readonly body: Buffer; readonly template: Template }>();

function withClient(body: Buffer, about: ResponseFacts, id: string): Lent {
  const known = templates.get(about);
  // Kept bytes are never overwritten, so an equal start and length are equal bytes.
  const isSame = known?.body.buffer === body.buffer && known.body.byteOffset === body.byteOffset;
  const template = known !== undefined && isSame ? known.template : splitAt(body, placeholder);
  if (!isSame) templates.set(about, { body, template });
  return lendFilled(template, Buffer.from(id));
}

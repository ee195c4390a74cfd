import type { Request, Response, Router } from 'express';
import { type Body, joinBody } from './body.ts';
import { cacheResponse, type ResponseFacts } from './cached-responses.ts';
import { clientHas } from './if-none-match.ts';
import { unsent } from './unsent.ts';

/** A response with status 200 that is prepared without Express: Express and the response cache send the same one. */
export type PreparedResponse = {
  /** Name, value, name, value ... of the route's own headers in the order in which they go out, without Content-Length. */
  readonly headers: readonly string[];
  readonly etag: string;
  /** Made only when it is needed: a 304 has none. */
  readonly body: () => Body | Promise<Body>;
  readonly about: ResponseFacts;
};

/** A plain GET or HEAD, as far as the response depends on it. */
export type PlainRequest = {
  /** Where the route is mounted, as the client wrote it. */
  readonly mount: string;
  /** Behind it, escapes and all; empty or with a slash in front. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** What a raw plus sign in it means (plus-sign.ts). */
  readonly plusSign: ' ' | '+';
  readonly takesGzip: boolean;
  readonly isConditional: boolean;
  /** The client's address. */
  readonly from: string | undefined;
};

/**
 * Prepares what a route can answer plainly, with 200. Undefined, or whatever it throws, leaves the request to Express,
 * which starts again from the beginning: errors, redirects and unusual requests are handled in one place.
 */
export type PrepareResponse = (request: PlainRequest) => Promise<PreparedResponse | undefined>;

/** Where a module answers: through Express, and for plain requests without it. */
export type Route = {
  /** In whatever case a client writes it. */
  readonly mount: string;
  readonly router: Router;
  readonly prepare?: PrepareResponse;
};

/** Sends a document through Express. */
export async function sendPrepared(
  request: Request,
  response: Response,
  prepared: PreparedResponse,
): Promise<void> {
  const { headers } = prepared;
  for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
  if (clientHas(request, prepared.etag)) {
    for (const name of ['Content-Type', 'Content-Encoding']) response.removeHeader(name);
    response.status(304).end();
    return;
  }
  const body = joinBody(await prepared.body());
  cacheResponse(request, response, body, prepared.about);
  unsent.hold(response, body, request.ip);
  response.send(body);
}

import type { Request, Response, Router } from 'express';
import { type Body, joinBody } from './body.ts';
import { cacheResponse, type ResponseFacts } from './cached-responses.ts';
import { clientHas } from './if-none-match.ts';
import { unsent } from './unsent.ts';

/** A response with status 200 that is prepared without Express, so that Express and the response cache send the same. */
export type PreparedResponse = {
  /** Name, value, name, value ... of the route's own headers in order, without Content-Length. */
  readonly headers: readonly string[];
  readonly etag: string;
  /** Made only when needed: a 304 has no body. */
  readonly body: () => Body | Promise<Body>;
  readonly about: ResponseFacts;
};

/** What a response can depend on in a plain GET or HEAD. */
export type PlainRequest = {
  /** The route's mount point, as the client wrote it. */
  readonly mount: string;
  /** The path after the mount point, with escapes; empty or beginning with a slash. */
  readonly rawPath: string;
  /** Without the question mark. */
  readonly rawQuery: string;
  /** The meaning of a raw plus sign in it (plus-sign.ts). */
  readonly plusSign: ' ' | '+';
  readonly acceptsGzip: boolean;
  readonly isConditional: boolean;
  /** The client's address. */
  readonly from: string | undefined;
};

/**
 * Prepares an answer that a route can give plainly, with 200. If it returns undefined or throws, Express handles the request from
 * the beginning: errors, redirects and unusual requests are handled in one place.
 */
export type PrepareResponse = (request: PlainRequest) => Promise<PreparedResponse | undefined>;

/** A module's answers at one mount point: through Express, and for plain requests without it. */
export type Route = {
  /** In any case, as clients write it. */
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
  response.send(body);
  if (response.writableLength > 0) unsent.hold(response, body, request.ip);
}

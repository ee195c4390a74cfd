import type { IncomingMessage, RequestListener } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { inSpan } from '../../tracing/spans.ts';
import { FeedError, fail } from '../errors.ts';
import { pathOf } from './request-target.ts';

/** What this server knows of the others. */
export type Freshness = {
  /** Whether it has everything that anybody was told so far. */
  isFresh(): boolean;
  /** Resolves when it has. Rejects when it cannot find out. */
  refresh(): Promise<void>;
  /** Whether the database did not answer the last question. */
  isAway(): boolean;
  /** @throws when the database does not answer soon */
  ping(): Promise<void>;
  /** How far it is: the number of the last change that it has, and for how long it has had no word of the others. */
  state(): { readonly revision: number; readonly unconfirmedMs: number };
};

const behind = new WeakSet<IncomingMessage>();
/** Those that go on without the database. */
const unsure = new WeakSet<IncomingMessage>();

/**
 * A request begins only while this server has everything that others have confirmed; what it reads later is newer still. Addresses
 * for monitoring, and bytes that never change, go on without the database (contract section 10).
 */
export function createFreshGate(
  { isFresh, refresh, isAway }: Pick<Freshness, 'isFresh' | 'refresh' | 'isAway'>,
  handle: RequestListener,
  express: RequestListener,
): RequestListener {
  return (req, res) => {
    if (isFresh()) return handle(req, res);
    const path = pathOf(req.url ?? '/');
    if (isAboutServer(path)) return handle(req, res);
    const goesOn = isImmutable(req.method, path);
    if (isAway() && goesOn) {
      unsure.add(req);
      return handle(req, res);
    }
    void inSpan('wait until fresh', refresh)
      .then(
        () => handle,
        () => {
          (goesOn ? unsure : behind).add(req);
          return goesOn ? handle : express;
        },
      )
      .then((answer) => (res.closed ? undefined : answer(req, res)))
      .catch(() => res.destroy());
  };
}

/** For a request that began long ago. @throws FeedError COPY_BEHIND */
export async function catchUpWith(
  freshness: Pick<Freshness, 'isFresh' | 'refresh'> | undefined,
): Promise<void> {
  if (freshness?.isFresh() === false) await inSpan('wait until fresh', freshness.refresh);
}

/** Answers what `createFreshGate` could not let through. */
export function refuseWhenBehind(): RequestHandler {
  return (req, _res, next) => {
    if (behind.has(req)) fail('COPY_BEHIND');
    next();
  };
}

/** What a copy that may be behind does not have, or whom it does not know, the database may know. */
export const doubtRefusals: ErrorRequestHandler = (error: unknown, req, _res, next) => {
  const isRefusal = error instanceof FeedError && [401, 403, 404].includes(error.status);
  next(isRefusal && unsure.has(req) ? new FeedError('COPY_BEHIND', {}, error) : error);
};

function isAboutServer(path: string): boolean {
  return /^\/(healthz|readyz)\/?$/.test(path);
}

/**
 * Figures of this server, a package by its version, or a payload: not those of a client's own addresses, which a rollout can take
 * back. The path is as it was sent, so it has to be plain: Express would leave out what comes after a `#`.
 */
function isImmutable(method: string | undefined, path: string): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    /^[a-z0-9/._+-]+$/i.test(path) &&
    (/^\/metrics\/?$/.test(path) ||
      /^\/dl\/[^/]+\/[^/]+\/[^/]+$/i.test(path) ||
      /^\/(nuget|api\/v2)\/package\/[^/]+\/[^/]+\/?$/i.test(path) ||
      /^\/v3\/flat\/[^/]+\/[^/]+\/[^/]+\.nupkg$/i.test(path))
  );
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Unchanged } from '../catalog/catalog.ts';
import type { RevisionNumbers } from '../catalog/revisions.ts';
import { areaOf } from './areas.ts';
import type { Body } from './body.ts';
import { plusSignOf } from './plus-sign.ts';
import { loggedUrl } from './request-log.ts';
import { pathOf, plainTarget } from './request-target.ts';
import { createSlabCache } from './slab-cache.ts';
import { unsent } from './unsent.ts';

/** What matters about a response besides its bytes. */
export type ResponseFacts = {
  /** `bytes`: no counts appear in it, and its route handles conditions and ranges. */
  readonly kind: 'document' | 'bytes';
  /** The id of the packages that it was made from; absent when it is about more than one id. */
  readonly id?: string;
  /** For one about several ids, where that can be found out without making it again. */
  readonly isUnchanged?: Unchanged | undefined;
  /** Called when it answers a GET; the returned function is called when the client has everything. */
  readonly begin?: (req: IncomingMessage, from: string | undefined) => () => void;
};

/** What the log and the metrics show of an address. */
export type Place = { readonly url: string; readonly route: string };

/** A whole response to GET, including what HEAD and 304 need. */
export type CachedResponse = {
  /** Name, value, name, value ... in order; the value of X-Request-Id is replaced for each request. */
  readonly headers: readonly string[];
  readonly etag: string | undefined;
  readonly body: Buffer;
  readonly about: ResponseFacts;
};

/** Responses for longer addresses and headers are not cached. */
const maxKeyLength = 2048;
/** Together with the 5 s until counts are written, this is below the 30 s of spec nuget-v2 18.1. */
const maxCountAgeMs = 20_000;
type Kept = Omit<CachedResponse, 'body'> & {
  readonly place: Place;
  /** The revision before it was prepared. */
  readonly revision: number;
  /** Up to which it is known to show the packages as they are, and their counts. */
  readonly currentUntil: Record<keyof RevisionNumbers, number>;
  /** By the process' monotonic clock, in milliseconds. */
  readonly madeAt: number;
};
type Whole = Omit<CachedResponse, 'body'> & { readonly body: Body };
const awaited = new WeakMap<object, (response: Whole) => Buffer | undefined>();

/**
 * Stores these bytes as the answer to equal requests. Call it when all headers but Content-Length are set; it does nothing for a
 * request that the response cache would not answer.
 */
export function cacheResponse(req: object, res: ServerResponse, body: Buffer, about: ResponseFacts): void {
  const remember = awaited.get(req);
  if (remember === undefined) return;
  const etag = res.getHeader('etag');
  remember({
    headers: wholeHeaders(res, body),
    etag: etag === undefined ? undefined : String(etag),
    body,
    about,
  });
}

export type CachedResponses = {
  /**
   * Finds a response that is current for these revisions; undefined if there is none. Then the response that the route gives is
   * stored, by the key that `keyFor` gives it.
   * @param key everything that the response depends on
   */
  find(
    req: IncomingMessage,
    now: RevisionNumbers,
    key?: string,
    keyFor?: (about: ResponseFacts) => string,
  ): (CachedResponse & { readonly place: Place }) | undefined;
  /**
   * Stores a response that was prepared without Express after `find` found none. Returns the body in the cache, if it was stored.
   */
  keep(req: IncomingMessage, response: Whole): Buffer | undefined;
  /** What a route answers to this request is not stored. */
  leaveOut(req: IncomingMessage): void;
};

/** @param makeSlab memory for many responses; without it that of the slab cache */
export function createCachedResponses(
  maxBytes: number,
  makeSlab?: (bytes: number) => Buffer,
): CachedResponses {
  const responses = createSlabCache<Kept>(maxBytes, unsent.isRead, undefined, makeSlab);
  return {
    find(req, now, key = addressKey(req), keyFor = () => key) {
      // Read before any route reads the catalog, so that a change in between makes the response stale.
      const revision = now.all();
      const packages = now.packages();
      const cached = responses.find(key, (kept) => isCurrent(kept, now));
      if (cached !== undefined) {
        const { headers, etag, about, place } = cached.value;
        return { headers, etag, about, place, body: cached.body };
      }
      if (key.length <= maxKeyLength) {
        // As it was sent: Express' routers change it.
        const target = plainTarget(req.url ?? '/');
        awaited.set(req, ({ headers, etag, about: made, body }) => {
          const place = placeOf(target);
          // What changed while it was made, and may be in it, could be undone later: then all would look unchanged.
          const about = now.packages() === packages ? made : { ...made, isUnchanged: undefined };
          const currentUntil = { packages: revision, all: revision };
          return responses.set(
            keyFor(made),
            { headers, etag, about, place, revision, currentUntil, madeAt: performance.now() },
            body,
            // Equal for equal bytes, which many addresses have: clients spell the same question in different ways.
            etag,
          );
        });
      }
      return undefined;
    },
    keep: (req, response) => awaited.get(req)?.(response),
    leaveOut: (req) => void awaited.delete(req),
  };
}

export function placeOf(target: string): Place {
  return { url: loggedUrl(target), route: areaOf(pathOf(target)).label };
}

/** The address, and everything else that the response depends on. */
function addressKey({ url = '', headers }: IncomingMessage): string {
  const plus = url.includes('+') ? plusSignOf(headers['user-agent']) : '';
  return `${headers['accept-encoding'] ?? ''}\n${plus}\n${url}`;
}

function isCurrent(kept: Kept, now: RevisionNumbers): boolean {
  if (!shows('packages', kept, now)) return false;
  const showsCounts = kept.about.kind === 'document';
  return !showsCounts || performance.now() - kept.madeAt < maxCountAgeMs || shows('all', kept, now);
}

/** Whether it shows everything of this kind as it is now. */
function shows(
  what: keyof RevisionNumbers,
  { revision, currentUntil, about: { id, isUnchanged } }: Kept,
  now: RevisionNumbers,
): boolean {
  // Usually nothing has changed at all, which is found out without the id.
  const latest = now[what]();
  if (latest <= currentUntil[what]) return true;
  if (now[what](id) > currentUntil[what] && isUnchanged?.(what, revision) !== true) return false;
  currentUntil[what] = latest;
  return true;
}

function wholeHeaders(res: ServerResponse, body: Buffer): string[] {
  // Every outgoing message has it, though @types/node declares it for requests only.
  const { getRawHeaderNames } = res as ServerResponse & { getRawHeaderNames(): string[] };
  const set = getRawHeaderNames
    .call(res)
    .filter((name) => name.toLowerCase() !== 'content-length')
    .flatMap((name) => [name, String(res.getHeader(name))]);
  return [...set, 'Content-Length', String(body.length)];
}

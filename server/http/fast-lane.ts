import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { inTurn } from '../pause.ts';
import { areaOf, subjectOf } from './areas.ts';
import { type FindKey, mayRead } from './auth.ts';
import { takesGzip } from './encodings.ts';
import { type Changes, createKnownAnswers, type KnownAnswer } from './known-answers.ts';
import type { MadeAnswer, MakeAnswer } from './made-answer.ts';
import type { Peer } from './peer.ts';
import { plusSignOf } from './plus-sign.ts';
import { needsKey, type ReadAuth } from './read-gate.ts';
import { loggedUrl, type RequestStart, type WatchRequest } from './request-log.ts';
import { plainTarget } from './request-target.ts';
import { unsent } from './unsent.ts';

/** A door that answers past the general path: where it hangs, in whatever case it is written. */
export type OpenDoor = { readonly mount: string; readonly make: MakeAnswer };

export type FastLaneOptions = {
  readonly doors: readonly OpenDoor[];
  readonly changes: Changes;
  readonly maxBytes: number;
  readonly readAuth: ReadAuth;
  readonly findKey: FindKey;
  readonly watch: WatchRequest;
  /** The asker, as Express tells it. */
  readonly readPeer: (req: IncomingMessage) => Peer;
  readonly isStopping: () => boolean;
  /** On every answer: name, value, name, value ... */
  readonly securityHeaders: readonly string[];
};

/**
 * In front of the general path: it knows an address and answers it from the bytes that a door made once, or lets a
 * door make them now, without the stack of handlers that costs several times as much as the answer (decision 16). What
 * the general path guarantees stays: a key where reading needs one, one log line, the same headers, counting. Whatever
 * is not a plain question (a body, a range, a wrong key, a server that stops), and whatever a door does not answer
 * with 200, goes the general path.
 */
export function createFastLane(options: FastLaneOptions, general: RequestListener): RequestListener {
  const { doors, changes, maxBytes, readAuth, findKey, watch, readPeer, isStopping, securityHeaders } =
    options;
  const answers = createKnownAnswers(changes, maxBytes);

  return (req, res) => {
    if (isStopping() || !isPlain(req)) return general(req, res);
    const target = plainTarget(req.url ?? '/');
    const path = pathOf(target);
    if (readAuth === undefined || !needsKey(readAuth, path)) return answer(req, res, target, path);
    // Errors too are for the general path to find and to tell.
    void mayRead(req, readPeer(req), subjectOf(path), findKey)
      .catch(() => false)
      .then((may) => (may ? answer(req, res, target, path) : general(req, res)))
      .catch(() => res.destroy());
  };

  function answer(req: IncomingMessage, res: ServerResponse, target: string, path: string): void {
    const known = answers.find(req);
    if (known !== undefined) {
      if (!isForAll(known, req)) {
        general(req, res);
        return;
      }
      const start = startOf(req, target, path);
      send(req, res, known, watch(req, res, start), start);
      return;
    }
    const door = doorOf(path);
    if (door === undefined) {
      general(req, res);
      return;
    }
    // Watched from here on, whoever answers in the end: what is made here is part of the time that it takes.
    const start = startOf(req, target, path);
    const requestId = watch(req, res, start);
    inTurn((hasWaited) => {
      if (res.closed) return;
      // Of many who ask the same at once, the first has had it made.
      const made = hasWaited ? answers.find(req) : undefined;
      const isMade = made !== undefined && isForAll(made, req);
      void (isMade ? Promise.resolve(made) : makeWith(door, req, target, path, start.from))
        .catch(() => undefined)
        .then((whole) => (whole === undefined ? general(req, res) : send(req, res, whole, requestId, start)))
        // Half an answer must not look like a whole one, and one request must not end the server.
        .catch(() => res.destroy());
    });
  }

  function doorOf(path: string): OpenDoor | undefined {
    const lower = path.toLowerCase();
    return doors.find(({ mount }) => lower.startsWith(mount) && /^\/?$/.test(lower.charAt(mount.length)));
  }

  async function makeWith(
    { mount, make }: OpenDoor,
    req: IncomingMessage,
    target: string,
    path: string,
    from: string | undefined,
  ): Promise<KnownAnswer | undefined> {
    const made = await make({
      mount: path.slice(0, mount.length),
      rawPath: path.slice(mount.length),
      rawQuery: target.slice(path.length + 1),
      plusSign: plusSignOf(req.headers['user-agent']),
      takesGzip: takesGzip(req),
      isConditional: req.headers['if-none-match'] !== undefined,
      from,
    });
    if (made === undefined) return undefined;
    const { etag, about } = made;
    if (isAmong(req.headers['if-none-match'], etag))
      return { headers: wholeHeaders(made), etag, about, body: nothing };
    const body = await made.body();
    const whole = {
      headers: [...wholeHeaders(made), 'Content-Length', String(body.length)],
      etag,
      about,
      body,
    };
    answers.keep(req, whole);
    return whole;
  }

  function wholeHeaders({ headers }: MadeAnswer): string[] {
    return ['X-Request-Id', '', ...securityHeaders, ...headers];
  }

  function startOf(req: IncomingMessage, target: string, path: string): RequestStart {
    return { url: loggedUrl(target), route: areaOf(path).label, from: readPeer(req).address };
  }
}

const nothing = Buffer.alloc(0);

/** GET or HEAD without a body, and without conditions that only a door can judge. */
function isPlain({ method, headers }: IncomingMessage): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.range === undefined &&
    headers['if-modified-since'] === undefined &&
    (headers['if-none-match'] === undefined || headers['cache-control'] === undefined)
  );
}

function isForAll({ about, etag }: KnownAnswer, { headers }: IncomingMessage): boolean {
  return headers['if-none-match'] === undefined || (about.kind === 'document' && etag !== undefined);
}

function send(
  req: IncomingMessage,
  res: ServerResponse,
  { headers, etag, body, about }: KnownAnswer,
  requestId: string,
  { from }: RequestStart,
): void {
  const wholeSent = about.begin?.(req, from);
  if (isAmong(req.headers['if-none-match'], etag)) {
    res.writeHead(304, withId(headers.filter(isNotOfBody), requestId)).end();
    return;
  }
  res.writeHead(200, withId(headers.slice(), requestId));
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  if (wholeSent !== undefined) res.once('finish', wholeSent);
  unsent.hold(res, body, from);
  res.end(body);
}

function withId(headers: string[], requestId: string): string[] {
  headers[headers.indexOf('X-Request-Id') + 1] = requestId;
  return headers;
}

/** What a 304 leaves out: name or value of a header that describes the body. */
function isNotOfBody(_part: string, at: number, headers: readonly string[]): boolean {
  return !/^content-(type|length|encoding)$/i.test(headers[at - (at % 2)] ?? '');
}

/** Weakly, as RFC 9110 13.1.2 wants it. */
function isAmong(header: string | undefined, etag: string | undefined): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return header === '*' || tags.includes(etag ?? '');
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { areaOf, subjectOf } from './areas.ts';
import { type FindKey, knownPrincipal, mayRead } from './auth.ts';
import { createKnownAnswers, type KnownAnswer, type Stamp } from './known-answers.ts';
import { needsKey, type ReadAuth } from './read-gate.ts';
import { loggedUrl, type RequestStart, type WatchRequest } from './request-log.ts';
import { plainTarget } from './request-target.ts';

export type FastLaneOptions = {
  readonly stamp: () => Stamp;
  readonly maxBytes: number;
  readonly readAuth: ReadAuth;
  readonly findKey: FindKey;
  readonly watch: WatchRequest;
  /** The asker's address, as Express tells it. */
  readonly addressOf: (req: IncomingMessage) => string | undefined;
  readonly isStopping: () => boolean;
};

/**
 * In front of the general path: it knows an address and answers it from the bytes that a door made once. What the
 * general path guarantees stays: a key where reading needs one, one log line, the same headers, counting. Whatever is
 * not plainly the same question again (a body, a range, a wrong key, a server that stops) goes the general path.
 */
export function createFastLane(options: FastLaneOptions, general: RequestListener): RequestListener {
  const { stamp, maxBytes, readAuth, findKey, isStopping } = options;
  const answers = createKnownAnswers(stamp, maxBytes);
  return (req, res) => {
    if (isStopping() || !isPlain(req)) return general(req, res);
    if (readAuth === undefined) return answer();
    const path = pathOf(plainTarget(req.url ?? '/'));
    if (!needsKey(readAuth, path)) return answer();
    // Errors too are for the general path to find and to tell.
    void knownPrincipal(req, findKey)
      .catch(() => undefined)
      .then((principal) => (mayRead(principal, subjectOf(path)) ? answer() : general(req, res)));

    function answer(): void {
      const known = answers.find(req);
      if (known === undefined || !isForAll(known, req)) general(req, res);
      else sendKnown(req, res, known, options);
    }
  };
}

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

const starts = new WeakMap<KnownAnswer, RequestStart>();

function sendKnown(
  req: IncomingMessage,
  res: ServerResponse,
  known: KnownAnswer,
  { watch, addressOf }: FastLaneOptions,
): void {
  let start = starts.get(known);
  const from = addressOf(req);
  if (start === undefined || start.from !== from) {
    const target = plainTarget(req.url ?? '/');
    start = { url: loggedUrl(target), route: areaOf(pathOf(target)).label, from };
    starts.set(known, start);
  }
  const requestId = watch(req, res, start);
  const wholeSent = known.about.begin?.(req, from);
  if (isAmong(req.headers['if-none-match'], known.etag)) {
    res.writeHead(304, withId(known.headers.filter(isNotOfBody), requestId)).end();
    return;
  }
  res.writeHead(200, withId(known.headers.slice(), requestId));
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  if (wholeSent !== undefined) res.once('finish', wholeSent);
  res.end(known.body);
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

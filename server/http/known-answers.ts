import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAnswerCache } from './answer-cache.ts';
import { plusSignOf } from './plus-sign.ts';

/**
 * The changes that make answers old, each with a number that grows: `all` is that of the last one, or of the last that
 * touches an id (`Catalog.revision`); `packages` leaves counts out.
 */
export type Changes = {
  readonly all: (id?: string) => number;
  readonly packages: (id?: string) => number;
};

/** What is done for an answer beside its bytes. */
export type AnswerAbout = {
  /** `bytes`: counts do not show in it, and conditions and ranges are its door's business. */
  readonly kind: 'document' | 'bytes';
  /** The id of the packages that it was made from; left out when it is about more than one id. */
  readonly id?: string;
  /** When a GET is answered with it; what comes back is called once the asker has it all. */
  readonly begin?: (req: IncomingMessage, from: string | undefined) => () => void;
};

/** A whole answer to GET, with what HEAD and 304 need of it. */
export type KnownAnswer = {
  /** Name, value, name, value ... as they go out; the value of X-Request-Id is each request's own. */
  readonly headers: readonly string[];
  readonly etag: string | undefined;
  readonly body: Buffer;
  readonly about: AnswerAbout;
};

/** Longer addresses and headers are asked once. */
const maxKeyLength = 2048;
/** With the 5 s until counts are written, below the 30 s of spec nuget-v2 18.1. */
const maxCountAgeMs = 20_000;
type Kept = Omit<KnownAnswer, 'body'> & {
  /** The number of the last change when it was begun. */
  readonly revision: number;
  /** By the clock of the process, in milliseconds. */
  readonly madeAt: number;
};
const awaited = new WeakMap<object, (answer: KnownAnswer) => void>();

/**
 * Lets the next one who asks the same be answered with these bytes. To be called by a door when all headers but
 * Content-Length are set; it does nothing for a request that the fast lane would not answer anyway.
 */
export function rememberAnswer(req: object, res: ServerResponse, body: Buffer, about: AnswerAbout): void {
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

export type KnownAnswers = {
  /** Undefined when there is none or it is out of date; then the answer of a door is awaited. */
  find(req: IncomingMessage): KnownAnswer | undefined;
  /** The answer to a request that `find` found none for, made past the general path. */
  keep(req: IncomingMessage, answer: KnownAnswer): void;
};

export function createKnownAnswers(changes: Changes, maxBytes: number): KnownAnswers {
  const answers = createAnswerCache<Kept>(maxBytes);
  return {
    find(req) {
      const key = keyOf(req);
      // Read before any door looks into the catalog: a change in between makes the answer old at once.
      const revision = changes.all();
      const known = answers.find(key, (kept) => isGood(kept, changes));
      if (known !== undefined) {
        const { headers, etag, about } = known.value;
        return { headers, etag, about, body: known.body };
      }
      if (key.length <= maxKeyLength) {
        awaited.set(req, ({ headers, etag, about, body }) =>
          answers.set(key, { headers, etag, about, revision, madeAt: performance.now() }, body),
        );
      }
      return undefined;
    },
    keep: (req, answer) => awaited.get(req)?.(answer),
  };
}

/** The address, and what else an answer depends on. */
function keyOf({ url = '', headers }: IncomingMessage): string {
  const plus = url.includes('+') ? plusSignOf(headers['user-agent']) : '';
  return `${headers['accept-encoding'] ?? ''}\n${plus}\n${url}`;
}

function isGood({ revision, madeAt, about: { kind, id } }: Kept, changes: Changes): boolean {
  if (changes.packages(id) > revision) return false;
  const showsCounts = kind === 'document';
  return !showsCounts || changes.all(id) <= revision || performance.now() - madeAt < maxCountAgeMs;
}

function wholeHeaders(res: ServerResponse, body: Buffer): string[] {
  // On every outgoing message, though @types/node declares it for requests only.
  const { getRawHeaderNames } = res as ServerResponse & { getRawHeaderNames(): string[] };
  const set = getRawHeaderNames
    .call(res)
    .filter((name) => name.toLowerCase() !== 'content-length')
    .flatMap((name) => [name, String(res.getHeader(name))]);
  return [...set, 'Content-Length', String(body.length)];
}

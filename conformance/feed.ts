import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Element } from '../formats/xml-tree.ts';
import { type FeedPage, readPage } from './atom.ts';
import { parsedOf } from './document.ts';
import { type Journal, noteAnswer } from './journal.ts';
import { demand, NotShown, Violation } from './verdict.ts';
import { parseAddress } from './wire/address.ts';
import { type Answer, statusLine } from './wire/answer.ts';
import { exchangeHttp10 } from './wire/http10.ts';
import { exchange } from './wire/http11.ts';

export type AskOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly isChunked?: boolean;
  readonly isExpecting?: boolean;
  /** Without the credentials that all other requests carry. */
  readonly isAnonymous?: boolean;
  /** Says of the body what the request line does not: `multipart, chunked`. */
  readonly note?: string;
};

export type FeedAnswer = Answer & FeedPage;

type Response = Omit<Answer, 'request'>;

/** A feed as its clients ask it. What they ask is written after the base, unescaped: `/Packages()?$top=2`. */
export type Feed = {
  /** The final address of the service document without query and trailing slash, as choco 2.x makes it (spec nuget-v2 2.2). */
  readonly base: string;
  /** @throws Violation when no whole answer came */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  /** An address, or where it redirects to, as all clients follow a GET. @throws Violation */
  askFollowing(address: string, options?: AskOptions): Promise<Answer>;
  /** As choco 0.10.15 asks. @throws Violation */
  askHttp10(path: string): Promise<Answer>;
  /** An absolute address, unmodified. @throws Violation when it is none */
  askAddress(address: string, options?: AskOptions): Promise<Answer>;
  /** A feed document that must be there. @throws Violation when the answer is not 200, NotShown when it is not readable at all */
  page(path: string): Promise<FeedAnswer>;
  /**
   * The page and all that its next links lead to; leniently: as far as they lead.
   * @throws Violation, NotShown
   */
  pages(path: string, options?: { readonly isLenient?: boolean }): Promise<FeedAnswer[]>;
};

export type FeedSettings = {
  readonly base: string;
  readonly authorization?: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly journal: Journal;
};

const maxAnswerBytes = 128 * 1024 ** 2;
/** More pages than any id has. */
const maxPages = 100;
const clientHeaders = {
  'User-Agent': 'Chocolatey Command Line/2.7.0 via NuGet Client/6.4.1 (go-win-tools feed:conformance)',
  Accept: 'application/atom+xml, application/xml',
  'Accept-Language': 'en-US',
};

/** The one client that writes blanks as plus signs: from NuGet's own they mean themselves (spec nuget-v2 18.3). */
const formEncoder = 'PSResourceGet/1.2.0 PowerShell/7.6.9 (go-win-tools feed:conformance)';

export function createFeed({ base, authorization, timeoutMs, signal, journal }: FeedSettings): Feed {
  async function askAddress(text: string, options: AskOptions = {}): Promise<Answer> {
    const { method = 'GET', isAnonymous = false, note, headers, ...rest } = options;
    const address = parseAddress(text);
    const request = `${method} ${address?.target ?? text}${note === undefined ? '' : ` (${note})`}`;
    if (address === undefined) throw new Violation('an absolute http(s) address', text, request);
    const sent = {
      ...clientHeaders,
      ...(address.target.includes('+') && { 'User-Agent': formEncoder }),
      ...(authorization !== undefined && !isAnonymous && { Authorization: authorization }),
      ...headers,
    };
    const send = () =>
      exchange(address, { method, headers: sent, ...rest, maxBytes: maxAnswerBytes, signal: deadline() });
    return whole(request, () => (method === 'GET' || method === 'HEAD' ? askUntilFree(send) : send()));
  }

  /** A busy feed that says when to ask again breaks no rule. NuGet's own clients ask again after a 503, too. */
  async function askUntilFree(send: () => Promise<Response>): Promise<Response> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const answer = await send();
      const waitMs = retryAfterMs(answer);
      if (waitMs === undefined || performance.now() + waitMs > end) return answer;
      await sleep(waitMs, undefined, { signal });
    }
  }

  async function whole(request: string, send: () => Promise<Response>): Promise<Answer> {
    signal.throwIfAborted();
    try {
      const answer = { request, ...(await send()) };
      noteAnswer(journal, answer);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      throw new Violation('a whole answer', describe(error), request);
    }
  }

  function deadline(): AbortSignal {
    const both = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    setMaxListeners(0, both);
    return both;
  }

  const ask: Feed['ask'] = (path, options) => askAddress(base + path, options);

  async function readFeed(answer: Answer): Promise<FeedAnswer> {
    demand(answer.status === 200, answer, 'status 200', () => statusLine(answer));
    const page = readPage(documentOf(answer));
    if (page === undefined) throw new NotShown(`${answer.request} answers with no feed`);
    return { ...answer, ...page };
  }

  async function readNext(last: FeedAnswer, before: readonly FeedAnswer[]): Promise<FeedAnswer> {
    const { next = '' } = last;
    const isAgain = before.some((page) => page.next?.toLowerCase() === next.toLowerCase());
    demand(!isAgain, last, 'each next link once', `again ${next}`);
    // That it must be absolute is a check of its own (paging/next-is-absolute).
    const address = parseAddress(next) === undefined ? `${base}/${next.replace(/^\//, '')}` : next;
    return readFeed(await askAddress(address));
  }

  return {
    base,
    ask,
    askAddress,
    async askFollowing(address, options) {
      const answer = await askAddress(address, options);
      const { location } = answer.headers;
      const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
      if (!isRedirect) return answer;
      const next = URL.canParse(location, address) ? new URL(location, address).href : location;
      return askAddress(next, options);
    },
    async askHttp10(path) {
      const address = parseAddress(base + path);
      if (address === undefined) throw new NotShown(`${base} is no http(s) address`);
      const headers = {
        'User-Agent': 'NuGet Core/2.11.0 (feed:conformance)',
        ...(authorization && { Authorization: authorization }),
      };
      const send = () => exchangeHttp10(address, headers, { maxBytes: maxAnswerBytes, signal: deadline() });
      return whole(`GET ${address.target} HTTP/1.0`, () => askUntilFree(send));
    },
    page: async (path) => readFeed(await ask(path)),
    async pages(path, { isLenient = false } = {}) {
      const read = [await readFeed(await ask(path))];
      try {
        for (let last = read[0]; last?.next !== undefined && read.length < maxPages; last = read.at(-1)) {
          read.push(await readNext(last, read.slice(0, -1)));
        }
      } catch (error) {
        if (!isLenient || !(error instanceof Violation || error instanceof NotShown)) throw error;
      }
      return read;
    },
  };
}

/** How long a feed that is busy for now asks to wait; undefined when it is not, or does not say. */
function retryAfterMs({ status, headers }: Response): number | undefined {
  const seconds = headers['retry-after'];
  return status === 503 && seconds !== undefined && /^\d{1,4}$/.test(seconds)
    ? Number(seconds) * 1000
    : undefined;
}

/** @throws NotShown: the check that all documents are well-formed says why (robustness/well-formed) */
export function documentOf(answer: Answer): Element {
  const parsed = parsedOf(answer);
  if ('problem' in parsed) throw new NotShown(`${answer.request} answers with no readable XML`);
  return parsed.root;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || /no whole answer in time/.test(error.message))
    return 'no whole answer in time';
  return 'code' in error && error.message === '' ? String(error.code) : error.message;
}

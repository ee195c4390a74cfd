import type { Readable } from 'node:stream';
import { type Got, got, type Headers, RequestError } from 'got';
import { inShort } from '../formats/thrown.ts';
import { agentFor, type ProxySettings } from './proxy.ts';

export type { Headers };
/** An HTTP client, as its users see it. */
export type Http = Got;

export type HttpSettings = ProxySettings & { readonly userAgent: string };

/** How long an address may send nothing. */
export type TimeLimits = {
  /** Until an answer begins; GitHub itself gives up after 10 s. */
  readonly answerTimeoutMs: number;
  /** A transfer without a byte for this long counts as broken (contract section 4). */
  readonly idleTimeoutMs: number;
  /** From the request to the last byte, so that a slow sender cannot hold us up forever. */
  readonly totalTimeoutMs?: number;
};

/** The error code for a redirect from https to plain http, where anybody on the way could change the bytes. */
export const plainRedirect = 'ERR_PLAIN_REDIRECT';

/** What one origin gets; `traceparent` is no secret, and none of another's business. */
const secretHeaders = ['authorization', 'cookie', 'x-nuget-apikey', 'traceparent'];

/**
 * The one HTTP client for all outgoing requests of the generator and of imports. It names itself (GitHub answers 403 otherwise),
 * uses the proxy of the settings, never sends a key to another origin, and never falls back from https to http.
 */
export function createHttp(settings: HttpSettings): Http {
  return got.extend({
    headers: { 'user-agent': settings.userAgent },
    hooks: {
      beforeRequest: [
        (options) => {
          if (options.url instanceof URL) options.agent = agentFor(options.url, settings);
        },
      ],
      beforeRedirect: [
        (options, response) => {
          const from = new URL(response.url);
          const to = new URL(String(options.url));
          if (from.protocol === 'https:' && to.protocol === 'http:') {
            throw Object.assign(new Error(`${from.host} redirects to plain http`), { code: plainRedirect });
          }
          if (from.origin !== to.origin) for (const name of secretHeaders) delete options.headers[name];
        },
      ],
    },
  });
}

export type Opened = {
  readonly status: number;
  readonly headers: Headers;
  /** After redirects; relative addresses in the answer start from here. */
  readonly url: URL;
  /** Ends with an error when the sender breaks off or sends nothing for too long. */
  readonly body: Readable;
};

/**
 * Sends one GET, without retries; every status is a value.
 * @throws Error with a short reason, and its code, when there is no response
 */
export function openGet(
  http: Http,
  url: string,
  options: TimeLimits & {
    readonly headers: Headers;
    readonly signal: AbortSignal;
    readonly decompress: boolean;
    /** Called before a redirect is followed; throwing stops it. */
    readonly onRedirect?: (to: URL) => Promise<void>;
  },
): Promise<Opened> {
  const { answerTimeoutMs, idleTimeoutMs, totalTimeoutMs, signal, onRedirect, ...rest } = options;
  const body = http.stream.get(url, {
    ...rest,
    throwHttpErrors: false,
    retry: { limit: 0 },
    maxRedirects: 10,
    timeout: {
      lookup: answerTimeoutMs,
      connect: answerTimeoutMs,
      secureConnect: answerTimeoutMs,
      socket: idleTimeoutMs,
      response: answerTimeoutMs,
      ...(totalTimeoutMs === undefined ? {} : { request: totalTimeoutMs }),
    },
    hooks: { beforeRedirect: [({ url: to }) => onRedirect?.(new URL(String(to)))] },
  });
  // Not got's own `signal`: a stream that has ended would keep its listener until the program ends.
  const onAbort = (): void => void body.destroy(new Error('interrupted'));
  const forget = (): void => signal.removeEventListener('abort', onAbort);
  signal.addEventListener('abort', onAbort);
  for (const end of ['end', 'error', 'close']) body.once(end, forget);
  return new Promise((resolve, reject) => {
    body.once('error', (error) => reject(withoutRequest(error)));
    body.once('response', ({ statusCode: status, headers, url: from }: Response) =>
      resolve({ status, headers, url: new URL(from), body }),
    );
  });
}

type Response = { readonly statusCode: number; readonly headers: Headers; readonly url: string };

/** Reads a whole answer. @throws Error when it is longer, and when it breaks off */
export async function readBody({ body }: Pick<Opened, 'body'>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new AnswerTooLong(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof AnswerTooLong ? error : withoutRequest(error);
  }
  return Buffer.concat(chunks);
}

export class AnswerTooLong extends Error {
  constructor(maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`);
  }
}

/** The reason alone: an error of got's holds the request, and with it a key. */
export function withoutRequest(error: unknown): unknown {
  return error instanceof RequestError
    ? Object.assign(new Error(inShort(error)), { code: error.code })
    : error;
}

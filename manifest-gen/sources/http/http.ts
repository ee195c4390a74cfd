import type { Readable } from 'node:stream';
import { type Got, got, type Headers } from 'got';
import { agentFor, type ProxySettings } from '../../../outbound/proxy.ts';

export type HttpSettings = ProxySettings & { readonly userAgent: string };

/** How long and how often a host is tried before it counts as unreachable. */
export type Patience = {
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
  /** Until an answer begins; GitHub itself gives up after 10 s. */
  readonly answerTimeoutMs: number;
  /** Without a byte for so long, a transfer counts as broken (contract section 4). */
  readonly idleTimeoutMs: number;
  /** A forge that asks for a longer pause is given up (--max-wait). */
  readonly maxPauseMs: number;
};

export const patience: Patience = {
  attempts: 4,
  firstDelayMs: 1_000,
  answerTimeoutMs: 15_000,
  idleTimeoutMs: 60_000,
  maxPauseMs: 60_000,
};

/** For verbs that only show: a person waits for the answer, and can ask again. */
export const lookPatience: Patience = {
  ...patience,
  attempts: 2,
  firstDelayMs: 500,
  answerTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
};

/** The code of the error when an https address redirects to plain http: the rest of the way anybody could change the bytes. */
export const plainRedirect = 'ERR_PLAIN_REDIRECT';

/**
 * The one HTTP client of the generator: names itself (GitHub answers 403 otherwise), goes through the proxy of the settings,
 * never carries a key to another origin, never steps down from https.
 */
export function createHttp(settings: HttpSettings): Got {
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
          if (from.origin !== to.origin) delete options.headers.authorization;
        },
      ],
    },
  });
}

export type Opened = {
  readonly status: number;
  readonly headers: Headers;
  /** Ends with an error when the sender breaks off or sends nothing for too long. */
  readonly body: Readable;
};

/**
 * One GET, one attempt; every status is a value.
 * @throws got's errors when there is no response
 */
export function openGet(
  http: Got,
  url: string,
  options: {
    readonly headers: Headers;
    readonly signal: AbortSignal;
    readonly answerTimeoutMs: number;
    readonly idleTimeoutMs: number;
    readonly decompress: boolean;
    /** Before the address is asked that it redirects to; what this throws ends it. */
    readonly onRedirect: (to: URL) => Promise<void>;
  },
): Promise<Opened> {
  const { answerTimeoutMs, idleTimeoutMs, signal, onRedirect, ...rest } = options;
  const body = http.stream.get(url, {
    ...rest,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: {
      lookup: answerTimeoutMs,
      connect: answerTimeoutMs,
      socket: idleTimeoutMs,
      response: answerTimeoutMs,
    },
    hooks: { beforeRedirect: [({ url: to }) => onRedirect(new URL(String(to)))] },
  });
  // not got's own `signal`: a stream that has ended would keep its listener until the program ends
  const onAbort = (): void => void body.destroy(new Error('interrupted'));
  const forget = (): void => signal.removeEventListener('abort', onAbort);
  signal.addEventListener('abort', onAbort);
  for (const end of ['end', 'error', 'close']) body.once(end, forget);
  return new Promise((resolve, reject) => {
    body.once('error', reject);
    body.once('response', (response: { statusCode: number; headers: Headers }) =>
      resolve({ status: response.statusCode, headers: response.headers, body }),
    );
  });
}

/** All of an answer. @throws Error when it is longer, and when it breaks off */
export async function readBody({ body }: Opened, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

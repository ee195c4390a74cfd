import type { Readable } from 'node:stream';
import { type Agents, type Got, got, type Headers } from 'got';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

export type HttpSettings = {
  readonly userAgent: string;
  readonly httpsProxy?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** Hosts that are asked directly: `localhost,.corp.example,10.0.0.1:8080`; `*` is all. */
  readonly noProxy?: string | undefined;
};

/** How long and how often a place is asked before it counts as one that cannot be reached. */
export type Patience = {
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
  /** Without a byte for so long, a transfer counts as broken (contract section 4). */
  readonly idleTimeoutMs: number;
  /** A forge that asks for a longer pause is given up. */
  readonly maxPauseMs: number;
};

export const patience: Patience = {
  attempts: 4,
  firstDelayMs: 1_000,
  idleTimeoutMs: 60_000,
  maxPauseMs: 60_000,
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

/** One GET, one attempt; every status is a value. @throws got's errors when nobody answers */
export function openGet(
  http: Got,
  url: string,
  options: {
    readonly headers: Headers;
    readonly signal: AbortSignal;
    readonly idleTimeoutMs: number;
    readonly decompress: boolean;
  },
): Promise<Opened> {
  const { idleTimeoutMs, signal, ...rest } = options;
  const body = http.stream.get(url, {
    ...rest,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: {
      lookup: idleTimeoutMs,
      connect: idleTimeoutMs,
      socket: idleTimeoutMs,
      response: idleTimeoutMs,
    },
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

/** Plain addresses are asked of the proxy itself, https ones through a tunnel. */
function agentFor(url: URL, { httpProxy, httpsProxy, noProxy }: HttpSettings): Agents {
  if (isDirect(url, noProxy)) return {};
  if (url.protocol === 'http:')
    return httpProxy === undefined ? {} : { http: new HttpProxyAgent(addressOf(httpProxy)) };
  return httpsProxy === undefined ? {} : { https: new HttpsProxyAgent(addressOf(httpsProxy)) };
}

/** `proxy.corp:3128` is a proxy spoken to in http, as for curl. */
function addressOf(proxy: string): string {
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** NO_PROXY as curl reads it: a host takes its subdomains along, a port must match when it is given. */
export function isDirect(url: URL, noProxy: string | undefined): boolean {
  const port = url.port || (url.protocol === 'http:' ? '80' : '443');
  const entries = (noProxy ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.some((entry) => {
    if (entry === '*') return true;
    const [, host = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    const domain = host.replace(/^\*?\./, '');
    const hasHost = url.hostname === domain || url.hostname.endsWith(`.${domain}`);
    return hasHost && (entryPort === undefined || entryPort === port);
  });
}

import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { got } from 'got';
import { visible } from '../../formats/format-error.ts';
import { isHtmlPage } from '../../formats/html-page.ts';
import { messageOf } from '../../formats/thrown.ts';
import { agentFor, type ProxySettings } from '../../outbound/proxy.ts';
import { FeedError, fail } from '../errors.ts';
import { redactUrl } from '../log.ts';

export type WebSettings = {
  readonly userAgent: string;
  readonly proxy: ProxySettings;
  /** For Basic authentication, sent to this origin and to no other, redirected or not. */
  readonly login?: { readonly origin: string; readonly user: string; readonly password: string } | undefined;
  /** Ends whatever runs. */
  readonly signal: AbortSignal;
  readonly patience?: Partial<Patience>;
};

export type Patience = {
  /** How often a page is asked for before the source counts as unreachable. */
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
  /** Without a byte for so long, a transfer counts as broken. */
  readonly idleTimeoutMs: number;
  /** From the question to the last byte: a source that dribbles holds nobody up for good. */
  readonly maxPageMs: number;
  readonly maxPackageMs: number;
  readonly maxPageBytes: number;
};

const usualPatience: Patience = {
  attempts: 4,
  firstDelayMs: 1_000,
  idleTimeoutMs: 60_000,
  maxPageMs: 10 * 60_000,
  maxPackageMs: 6 * 60 * 60_000,
  maxPageBytes: 64 * 1024 ** 2,
};

export type Page = {
  readonly status: number;
  /** After redirects: what relative links start from. */
  readonly url: URL;
  readonly text: string;
};

/** How other feeds are read: named, through proxies, with limits, and with a password that stays at its origin. */
export type Web = {
  /** A whole document; every status below 500 is a value. @throws FeedError SOURCE_* */
  read(url: URL): Promise<Page>;
  /** The bytes of a package; the stream fails with SOURCE_UNREACHABLE. @throws FeedError SOURCE_* */
  open(url: URL): Promise<Readable>;
};

export function createWeb(settings: WebSettings): Web {
  const patience = { ...usualPatience, ...settings.patience };
  const { attempts, firstDelayMs, idleTimeoutMs, maxPageMs, maxPackageMs, maxPageBytes } = patience;

  async function read(url: URL): Promise<Page> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, body, finalUrl } = await ask(url, maxPageMs, { 'accept-encoding': 'gzip, deflate' });
        if (isBusy(status)) {
          body.destroy();
          fail('SOURCE_UNREACHABLE', { url: shown(url), cause: `it answers ${status}` });
        }
        return { status, url: finalUrl, text: await readText(body, url) };
      } catch (error) {
        const isOver =
          settings.signal.aborted || attempt >= attempts || !isUnreachable(error) || isDistrust(error);
        if (isOver) throw error;
        await sleep(firstDelayMs * 2 ** (attempt - 1), undefined, { signal: settings.signal });
      }
    }
  }

  async function open(url: URL): Promise<Readable> {
    // Not compressed once more: a nupkg is a zip. Who does it all the same is understood.
    const { status, body } = await ask(url, maxPackageMs, { 'accept-encoding': 'identity' });
    if (status === 200) return body;
    body.destroy();
    if (isBusy(status)) fail('SOURCE_UNREACHABLE', { url: shown(url), cause: `it answers ${status}` });
    return refuse(status, url);
  }

  /** One GET, one attempt. */
  async function ask(url: URL, maxMs: number, headers: Record<string, string>) {
    const { login, signal } = settings;
    const authorization =
      login?.origin === url.origin
        ? `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
        : undefined;
    const source = got.stream.get(url, {
      headers: { 'user-agent': settings.userAgent, ...headers, ...(authorization && { authorization }) },
      throwHttpErrors: false,
      retry: { limit: 0 },
      maxRedirects: 10,
      timeout: {
        lookup: idleTimeoutMs,
        connect: idleTimeoutMs,
        secureConnect: idleTimeoutMs,
        socket: idleTimeoutMs,
        response: idleTimeoutMs,
        request: maxMs,
      },
      hooks: {
        beforeRequest: [
          (options) => {
            if (options.url instanceof URL) options.agent = { ...agentFor(options.url, settings.proxy) };
          },
        ],
        beforeRedirect: [
          (options, response) => {
            const [from, to] = [new URL(response.url), new URL(String(options.url))];
            if (from.protocol === 'https:' && to.protocol === 'http:') {
              throw new Error(`${from.host} redirects to plain http, where anybody could change the bytes`);
            }
            if (to.origin !== login?.origin) delete options.headers.authorization;
          },
        ],
      },
    });
    const body = ownStream(source, url, signal);
    const answered = new Promise<{ statusCode: number; url: string }>((resolve, reject) => {
      source.once('response', resolve);
      body.once('error', reject);
    });
    const { statusCode, url: finalUrl } = await answered;
    return { status: statusCode, body, finalUrl: new URL(finalUrl) };
  }

  async function readText(body: Readable, url: URL): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxPageBytes) {
          fail('SOURCE_STRANGE', { url: shown(url), problem: `more than ${maxPageBytes} bytes in one page` });
        }
        chunks.push(chunk);
      }
    } catch (error) {
      throw error instanceof FeedError ? error : unreachable(url, error);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  return { read, open };
}

/** A stream behind another, so that its errors, which quote addresses, become ours in one place; ended by the signal. */
function ownStream(source: Readable, url: URL, signal: AbortSignal): Readable {
  const body = new PassThrough();
  const onAbort = (): void => void body.destroy(unreachable(url, new Error('interrupted')));
  signal.addEventListener('abort', onAbort);
  source.on('error', (error) => body.destroy(unreachable(url, error)));
  source.on('close', () => {
    if (!source.readableEnded) body.destroy(unreachable(url, new Error('it broke off')));
  });
  body.on('error', () => undefined);
  body.on('close', () => {
    signal.removeEventListener('abort', onAbort);
    source.destroy();
  });
  return source.pipe(body);
}

/** @throws FeedError SOURCE_REFUSED */
export function refuse(status: number, url: URL, hint = '.'): never {
  const advice =
    status === 401 || status === 403
      ? '. It wants another user or password: --user and --password-file, which go to the origin of the given address only.'
      : hint;
  return fail('SOURCE_REFUSED', { status, url: shown(url), advice });
}

/** A page for people in place of a feed: whatever gave it, the feed was not reached. @throws FeedError SOURCE_UNREACHABLE */
export function refusePage(text: string, url: URL): void {
  if (!isHtmlPage(text)) return;
  const cause = `${visible(url.host)} answers with a page of HTML, as a captive portal or a proxy does, or this is not the address that clients have as their source`;
  fail('SOURCE_UNREACHABLE', { url: shown(url), cause });
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof FeedError && error.code === 'SOURCE_UNREACHABLE';
}

/** An address for people: no secrets of its query, nothing that a terminal would act upon. */
export function shown(url: URL): string {
  return visible(redactUrl(`${url.origin}${url.pathname}${url.search}`));
}

/** The next attempt meets the same certificate. */
function isDistrust(error: unknown): boolean {
  return error instanceof Error && /certificate/i.test(error.message);
}

function isBusy(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

function unreachable(url: URL, error: unknown): FeedError {
  if (error instanceof FeedError) return error;
  const cause = visible(messageOf(error));
  const advice = isDistrust(error)
    ? '. Use the name that the certificate is made for, and name the PEM file of its authority in NODE_EXTRA_CA_CERTS.'
    : '';
  return new FeedError('SOURCE_UNREACHABLE', { url: shown(url), cause: `${cause}${advice}` }, error);
}

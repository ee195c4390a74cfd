import { PassThrough, type Readable } from 'node:stream';
import { visible } from '../../formats/format-error.ts';
import { isHtmlPage } from '../../formats/html-page.ts';
import { messageOf } from '../../formats/thrown.ts';
import {
  AnswerTooLong,
  createHttp,
  type Opened,
  openGet,
  plainRedirect,
  readBody,
} from '../../outbound/http.ts';
import { type Failed, persist, type RetryPolicy } from '../../outbound/persist.ts';
import type { ProxySettings } from '../../outbound/proxy.ts';
import { FeedError, fail } from '../errors.ts';
import { redactUrl } from '../log.ts';

export type WebSettings = {
  readonly userAgent: string;
  readonly proxy: ProxySettings;
  /** For Basic authentication; only sent to this origin, even after a redirect. */
  readonly login?: { readonly origin: string; readonly user: string; readonly password: string } | undefined;
  /** Refuses redirects before they are followed. */
  readonly isDirect?: boolean;
  /** Aborts everything. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<WebLimits>;
};

export type WebLimits = RetryPolicy & {
  /** A transfer without a byte for this long counts as broken. */
  readonly idleTimeoutMs: number;
  /** From the request to the last byte, so that a slow source cannot hold us up forever. */
  readonly maxPageMs: number;
  readonly maxPackageMs: number;
  readonly maxPageBytes: number;
};

const usualLimits: WebLimits = {
  attempts: 4,
  firstDelayMs: 1_000,
  maxPauseMs: 60_000,
  idleTimeoutMs: 60_000,
  maxPageMs: 10 * 60_000,
  maxPackageMs: 6 * 60 * 60_000,
  maxPageBytes: 64 * 1024 ** 2,
};

export type Page = {
  readonly status: number;
  /** After redirects; relative links start from here. */
  readonly url: URL;
  readonly text: string;
};

/** Reads other feeds: with a User-Agent, through proxies, with limits, and with a password that stays at its origin. */
export type Web = {
  /** Reads a whole document; every status below 500 is a value. @throws FeedError SOURCE_* */
  read(url: URL): Promise<Page>;
  /** Opens the bytes of a package; the stream fails with SOURCE_UNREACHABLE. @throws FeedError SOURCE_* */
  open(url: URL): Promise<Readable>;
};

export function createWeb(settings: WebSettings): Web {
  const limits = { ...usualLimits, ...settings.limits };
  const { idleTimeoutMs, maxPageMs, maxPackageMs, maxPageBytes } = limits;
  const { login, signal, userAgent, proxy, isDirect = false } = settings;
  const http = createHttp({ ...proxy, userAgent });

  async function read(url: URL): Promise<Page> {
    const result = await persist(limits, signal, () => readOnce(url)).catch((error: unknown) => {
      throw error instanceof FeedError ? error : unreachable(url, signal.aborted ? 'interrupted' : error);
    });
    return 'done' in result ? result.done : unreachable(url, result.failed);
  }

  async function readOnce(url: URL): Promise<{ readonly done: Page } | Failed> {
    try {
      const opened = await ask(url, maxPageMs, 'gzip, deflate');
      if (isBusy(opened.status)) {
        opened.body.destroy();
        return { failed: `it answers ${opened.status}` };
      }
      const text = (await readBody(opened, maxPageBytes)).toString('utf8');
      return { done: { status: opened.status, url: opened.url, text } };
    } catch (error) {
      if (error instanceof AnswerTooLong) {
        fail('SOURCE_STRANGE', { url: shown(url), problem: `more than ${maxPageBytes} bytes in one page` });
      }
      const failed = messageOf(error);
      return isFinal(error) ? { failed, waitMs: Number.POSITIVE_INFINITY } : { failed };
    }
  }

  async function open(url: URL): Promise<Readable> {
    // No compression, since a nupkg is a zip. A server that compresses anyway is understood.
    const { status, body } = await ask(url, maxPackageMs, 'identity').catch((error: unknown) =>
      unreachable(url, error),
    );
    if (status === 200) return ownStream(body, url);
    body.destroy();
    return isBusy(status) ? unreachable(url, `it answers ${status}`) : refuse(status, url);
  }

  /** One GET, without retries. */
  function ask(url: URL, totalTimeoutMs: number, encoding: string): Promise<Opened> {
    const secret = login?.origin === url.origin && Buffer.from(`${login.user}:${login.password}`);
    const headers = {
      'accept-encoding': encoding,
      ...(secret && { authorization: `Basic ${secret.toString('base64')}` }),
    };
    const times = { answerTimeoutMs: idleTimeoutMs, idleTimeoutMs, totalTimeoutMs };
    const onRedirect = isDirect ? { onRedirect: refuseRedirect } : {};
    return openGet(http, url.href, { headers, signal, decompress: true, ...times, ...onRedirect });
  }

  return { read, open };
}

/** No other attempt would end elsewhere. */
async function refuseRedirect(to: URL): Promise<void> {
  throw Object.assign(new Error(`it redirects to ${shown(to)}`), { code: plainRedirect });
}

/** Passes a stream on, to convert its errors, which quote addresses, into ours in one place. */
function ownStream(source: Readable, url: URL): Readable {
  const body = new PassThrough();
  source.on('error', (error) => body.destroy(unreachableError(url, error)));
  source.on('close', () => {
    if (!source.readableEnded) body.destroy(unreachableError(url, 'it broke off'));
  });
  body.on('error', () => undefined);
  body.on('close', () => source.destroy());
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

/** A page for people instead of a feed: whoever sent it, the feed was not reached. @throws FeedError SOURCE_UNREACHABLE */
export function refusePage(text: string, url: URL): void {
  if (!isHtmlPage(text)) return;
  const cause = `${visible(url.host)} answers with a page of HTML, as a captive portal or a proxy does, or this is not the address that clients have as their source`;
  fail('SOURCE_UNREACHABLE', { url: shown(url), cause });
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof FeedError && error.code === 'SOURCE_UNREACHABLE';
}

/** An address that is safe to show: without secrets in its query, without terminal controls. */
export function shown(url: URL): string {
  return visible(redactUrl(`${url.origin}${url.pathname}${url.search}`));
}

/** The next attempt would meet the same certificate and the same redirect. */
function isFinal(error: unknown): boolean {
  return (
    isDistrust(messageOf(error)) ||
    (error instanceof Error && 'code' in error && error.code === plainRedirect)
  );
}

function isDistrust(message: string): boolean {
  return /certificate/i.test(message);
}

function isBusy(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

function unreachable(url: URL, why: unknown): never {
  throw unreachableError(url, why);
}

/** The network error is not passed on as cause, since secrets are attached to it. */
function unreachableError(url: URL, why: unknown): FeedError {
  const message = messageOf(why);
  const advice = isDistrust(message)
    ? '. Use the name that the certificate is made for, and name the PEM file of its CA in NODE_EXTRA_CA_CERTS'
    : '';
  return new FeedError('SOURCE_UNREACHABLE', { url: shown(url), cause: `${visible(message)}${advice}` });
}

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type CancelableRequest, type Got, type OptionsInit, RequestError, type Response } from 'got';
import type * as z from 'zod';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import type { LocalFile } from '../../../formats/digest.ts';
import { isHtmlPage } from '../../../formats/html-page.ts';
import { jsonOf } from '../../../formats/json.ts';
import { inShort } from '../../../formats/thrown.ts';
import { withoutRequest } from '../../../outbound/http.ts';
import { countBytes } from '../../../system/count-bytes.ts';
import { currentTraceParent } from '../../../tracing/spans.ts';
import { currentKey, type FeedKey } from '../feed-key.ts';
import { reasonOf } from './refusal.ts';

/** HTTP to one feed. Every answer comes back as a value; only silence and overload are thrown. */
export type FeedHttp = {
  /** The feed's address, `http://host/nuget`, without a slash at its end. */
  readonly feedUrl: string;
  /** The base of the server behind it, as we reach it, if it is one of ours. */
  readonly serverUrl: string;
  readonly got: Got;
  /** Whether there is a key, or a way to one. */
  readonly hasKey: boolean;
  /** Whether to try the same request again with the key: the feed needs one for reading, and this request had none. */
  readonly wantsKey: (response: Response<unknown>) => boolean;
};

const keyHeader = 'x-nuget-apikey';

/**
 * The key goes to the feed's own origin and nowhere else: not to where a download is redirected, not into a message. Reading
 * goes without it until the feed asks for one (401, or 403 from servers that never say 401).
 * @param http the run's one instance: proxies, certificates, the abort signal
 */
export function createFeedHttp(
  http: Got,
  feedUrl: string,
  key: FeedKey | undefined,
  signal: AbortSignal,
): FeedHttp {
  const { origin } = new URL(feedUrl);
  let isWantedForReading = false;
  return {
    feedUrl,
    serverUrl: serverOf(feedUrl),
    hasKey: key !== undefined,
    wantsKey(response) {
      const isRefused = [401, 403].includes(response.statusCode) && new URL(response.url).origin === origin;
      const hadKey = response.request.options.headers[keyHeader] !== undefined;
      if (key === undefined || hadKey || !isRefused) return false;
      isWantedForReading = true;
      return true;
    },
    got: http.extend({
      signal,
      throwHttpErrors: false,
      // a server that asks for a longer pause gets none: got would silently wait for days
      retry: { limit: 2, methods: ['GET', 'HEAD'], maxRetryAfter: 10_000 },
      // `response` runs from the last byte sent: the feed opens, hashes and syncs a package before it answers
      timeout: { connect: 10_000, socket: 60_000, response: 600_000 },
      hooks: {
        beforeRequest: [
          async ({ method, url, headers }) => {
            const isSent = isWantedForReading || !['GET', 'HEAD'].includes(method);
            if (key === undefined || !isSent || new URL(String(url)).origin !== origin) return;
            const parent = currentTraceParent();
            headers[keyHeader] = await currentKey(key);
            if (parent !== undefined) headers.traceparent = parent;
          },
        ],
      },
    }),
  };
}

/** The base of the server behind a feed, if it is one of ours. */
export function serverOf(feedUrl: string): string {
  return feedUrl.replace(/\/(nuget|api\/v2)$/, '');
}

/** A page of a feed has some hundred KB. */
const maxTextBytes = 64 * 1024 * 1024;

/** @throws ReleaseError FEED_UNREACHABLE when there is no answer, or one that says later (502, 503, 504); INTERRUPTED passes */
export async function ask(
  http: FeedHttp,
  address: string,
  options: OptionsInit = {},
): Promise<Response<string>> {
  const asked = http.got(address, { ...options, responseType: 'text' }) as CancelableRequest<
    Response<string>
  >;
  let isTooLong = false;
  // a file server may have gigabytes where a short text is expected
  asked.on('downloadProgress', ({ transferred }) => {
    isTooLong ||= transferred > maxTextBytes;
    if (isTooLong) asked.cancel();
  });
  try {
    const response = await asked;
    if (http.wantsKey(response)) return await ask(http, address, options);
    if ([502, 503, 504].includes(response.statusCode)) unreachable(http, address, reasonOf(response));
    return response;
  } catch (error) {
    if (isTooLong) unreachable(http, address, `its answer is longer than ${maxTextBytes} bytes`);
    return explain(http, address, error);
  }
}

/** The same of the API of our server, by the parts of the path; others may answer anything. */
export function askServer(
  http: FeedHttp,
  path: readonly (string | number)[],
  options: OptionsInit = {},
): Promise<Response<string>> {
  return ask(http, [http.serverUrl, 'api/v1', ...path.map(encodeURIComponent)].join('/'), options);
}

/** What the API of our server says; undefined for an older one, and for any other, which may answer 200 to everything. */
export function jsonFrom<T>({ statusCode, body }: Response<string>, schema: z.ZodType<T>): T | undefined {
  return statusCode === 200 ? schema.safeParse(jsonOf(body)).data : undefined;
}

/** The reason, for the audit log of our server; others ignore it. */
export function reasonHeader(reason: string | undefined): Readonly<Record<string, string>> {
  return reason === undefined ? {} : { 'x-reason': encodeURIComponent(reason) };
}

/** What is sent, one part after the other. */
type Parts = readonly (Buffer | LocalFile)[];

/** Streams files; the body is sent once, so there is no retry inside. Same errors as `ask`. */
export async function send(
  http: FeedHttp,
  address: string,
  parts: Parts,
  headers: Readonly<Record<string, string>>,
  onProgress: (doneBytes: number) => void,
): Promise<Response<string>> {
  const sizes = parts.map((part) => (Buffer.isBuffer(part) ? part.length : part.digest.sizeBytes));
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  return ask(http, address, {
    method: 'PUT',
    body: countBytes(bytesOf(parts), onProgress),
    headers: { ...headers, 'content-length': String(sizeBytes) },
    retry: { limit: 0 },
  });
}

async function* bytesOf(parts: Parts): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (Buffer.isBuffer(part)) yield part;
    else yield* createReadStream(part.path, { highWaterMark: 256 * 1024 });
  }
}

/** No exe and no file of upstream's has more than 1 GiB; a package is an exe and some texts. */
const maxFileBytes = 2 * 1024 ** 3;

class FileTooLong extends Error {}

/**
 * A file of the feed, of another place or of a mirror, as the start of a pipeline, which fails when the file is longer than any can be.
 * `explain` has the sentence for that too.
 */
export function fileAt(http: FeedHttp, address: string, maxBytes: number = maxFileBytes): Readable {
  return Readable.from(chunksOf(http, address, maxBytes), { objectMode: false });
}

async function* chunksOf(http: FeedHttp, address: string, maxBytes: number): AsyncGenerator<Buffer> {
  const stream = http.got.stream(address, { throwHttpErrors: true });
  // Read to its end it still listens for an interruption, and an unhandled error would end the program during its cleanup.
  stream.on('error', () => {});
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      // of what was unpacked (Content-Encoding), which is what would fill a disk
      bytes += chunk.length;
      if (bytes > maxBytes) throw new FileTooLong(`the file is longer than ${maxBytes} bytes`);
      yield chunk;
    }
  } catch (error) {
    const { response } = error as { response?: Response<unknown> };
    if (response === undefined || !http.wantsKey(response)) throw error;
    yield* chunksOf(http, address, maxBytes);
  }
}

export function explain(http: FeedHttp, address: string, error: unknown): never {
  if (error instanceof ReleaseError) throw error;
  // What went wrong with the key, before anything was sent.
  if (error instanceof RequestError && error.cause instanceof ReleaseError) throw error.cause;
  if (error instanceof FileTooLong) unreachable(http, address, error.message, error);
  if (error instanceof RequestError) {
    const cause = error.code === 'ERR_BODY_PARSE_FAILURE' ? 'no readable answer' : inShort(error);
    unreachable(http, address, cause, withoutRequest(error));
  }
  throw error;
}

/** Payloads may be on another server than the feed; then it is not the feed that must be started. */
function unreachable({ feedUrl }: FeedHttp, address: string, cause: string, error?: unknown): never {
  const { origin } = new URL(address);
  if (origin === new URL(feedUrl).origin) fail('FEED_UNREACHABLE', { url: feedUrl, cause }, error);
  fail('PLACE_UNREACHABLE', { url: origin, cause }, error);
}

/**
 * An HTML page instead of an answer: something between us and the feed sent it, so it says nothing about the feed.
 * @throws ReleaseError FEED_UNREACHABLE
 */
export function refusePage(http: FeedHttp, { body, url: from }: Response<string>): void {
  if (!isHtmlPage(body)) return;
  const { host } = new URL(from);
  unreachable(http, http.feedUrl, `${host} answers with a page of HTML, as a captive portal or a proxy does`);
}

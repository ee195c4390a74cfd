import type * as z from 'zod';
import { hideSent } from '../../../formats/hide-credentials.ts';
import { jsonOf } from '../../../formats/json.ts';
import {
  type Attempt,
  askHost,
  faultOfAnswer,
  type HostRetryPolicy,
  type HttpAccess,
  headerOf,
  type Open,
  statusFailure,
} from '../../../outbound/ask-host.ts';
import { type Asking, hostUnreachable, refused } from '../../../outbound/asking.ts';
import { type Headers, type Opened, readBody } from '../../../outbound/http.ts';
import { GithubFault } from '../schema.ts';
import type { KeptAnswer, KeptAnswers } from './kept-answers.ts';

/** A page of 50 releases of goreleaser is about 5 MB of JSON. */
const maxJsonBytes = 64 * 1024 * 1024;
/** At 50 a page: 10,000 releases. */
const mostPages = 200;

export type GithubApiSettings = HttpAccess & {
  /** `https://api.github.com`, `https://HOST/api/v3`, without a slash at its end. */
  readonly apiUrl: string;
  readonly token: string | undefined;
  readonly now: () => Date;
  /** Called each second of a pause that the forge asks for. */
  readonly onPause: (tool: string, why: string, leftMs: number) => void;
};

type Paging = {
  readonly maxPages?: number;
  /** Not for answers that name addresses which soon end. */
  readonly isKept?: boolean;
};

export type GithubApi = ReturnType<typeof createGithubApi>;

/** GitHub's REST API (spec upstream 2). The errors are those of the port Upstream. */
export function createGithubApi(settings: GithubApiSettings, keptAnswers: KeptAnswers) {
  const { apiUrl, token, retryPolicy } = settings;
  const origin = new URL(apiUrl).origin;
  const credentialsFor = (url: string): Headers =>
    token !== undefined && new URL(url).origin === origin ? { authorization: `Bearer ${token}` } : {};
  const ask = async (url: string, asking: Asking, isKept = true): Promise<Answer> => {
    const headers = { accept: 'application/vnd.github+json', ...credentialsFor(url) };
    const { host } = new URL(url);
    const kept = isKept ? await keptAnswers.find(url) : undefined;
    const result = await askHost(
      settings,
      url,
      (open) => askOnce(open, settings.now(), headers, kept),
      (why, leftMs) => settings.onPause(asking.tool, `${host}: ${why}`, leftMs),
    );
    if ('failed' in result) return hostUnreachable(asking, result, tooLong(result.waitMs, retryPolicy));
    const { etag, link, text } = result.done;
    if (isKept && etag !== undefined && etag !== kept?.etag)
      await keptAnswers.keep(url, { etag, link, text });
    return result.done;
  };

  return {
    /** Authorization, when the URL is one of the API; nowhere else may the token go. */
    credentialsFor,
    /** Undefined for 404. */
    async get<T>(path: string, schema: z.ZodType<T>, asking: Asking): Promise<T | undefined> {
      const answer = await ask(`${apiUrl}${path}`, asking);
      return answer.status === 404 ? undefined : decode(answer, schema, path, asking);
    },
    /** All pages of a list, by its Link header. Undefined for 404. */
    async pages<T>(path: string, schema: z.ZodType<T>, asking: Asking, how: Paging = {}) {
      const { maxPages = mostPages, isKept } = how;
      const pages: T[] = [];
      let url: string | undefined = `${apiUrl}${path}`;
      for (let page = 1; url !== undefined; page += 1) {
        const answer: Answer = await ask(url, asking, isKept);
        if (answer.status === 404) return undefined;
        pages.push(decode(answer, schema, path, asking));
        url = nextPage(answer.link, url);
        // the token is sent to the next page, so the Link header must not choose its host
        if (url !== undefined && originOf(url) !== origin) {
          return refused(asking, path, `a next page at ${origin}`, originOf(url));
        }
        if (url !== undefined && page >= maxPages) {
          return refused(asking, path, `at most ${maxPages} pages`, 'more');
        }
      }
      return pages;
    },
  };
}

type Answer = {
  readonly status: number;
  readonly text: string;
  readonly link: string | undefined;
  /** Of an answer that may be kept. */
  readonly etag?: string | undefined;
};

async function askOnce(
  open: Open,
  now: Date,
  headers: Headers,
  kept: KeptAnswer | undefined,
): Promise<Attempt<Answer>> {
  const opened = await open({
    headers: kept === undefined ? headers : { ...headers, 'if-none-match': kept.etag },
    decompress: true,
  });
  const text = (await readBody(opened, maxJsonBytes)).toString('utf8');
  const { status } = opened;
  if (status === 304 && kept !== undefined) return { done: { link: undefined, ...kept, status: 200 } };
  const answer = { status, text, link: headerOf(opened, 'link') };
  if (status === 404) return { done: answer };
  const fault = status === 200 ? faultOfAnswer(text) : undefined;
  if (fault !== undefined) return { failed: fault };
  // only what can be read is kept: a page of HTML with status 200 has an ETag too
  if (status === 200) return { done: { ...answer, etag: headerOf(opened, 'etag') } };
  return failureOf(opened, faultIn(text, headers), now);
}

/** Which wait GitHub asks for: retry-after, else the reset when nothing remains, else a minute for the secondary limit. */
function failureOf(opened: Opened, said: string, now: Date): Attempt<Answer> {
  const { status } = opened;
  const isUsedUp = headerOf(opened, 'x-ratelimit-remaining') === '0';
  const retryAfterS = Number(headerOf(opened, 'retry-after') ?? Number.NaN);
  const isLimit =
    status === 429 || (status === 403 && (isUsedUp || retryAfterS >= 0 || /rate limit/i.test(said)));
  if (isLimit) {
    // the forge's own clock: this machine's may be minutes off
    const nowMs = Date.parse(headerOf(opened, 'date') ?? '') || now.getTime();
    const resetMs = Number(headerOf(opened, 'x-ratelimit-reset') ?? Number.NaN) * 1000 - nowMs;
    const waitMs = retryAfterS >= 0 ? retryAfterS * 1000 : isUsedUp && resetMs >= 0 ? resetMs : 60_000;
    return { failed: 'its rate limit is used up (GITHUB_TOKEN gives a higher one)', waitMs };
  }
  return statusFailure(status, said === '' ? '' : `, ${said}`);
}

/** Why a pause that was asked for was not kept. */
function tooLong(waitMs: number | undefined, { maxPauseMs }: HostRetryPolicy): string {
  if (waitMs === undefined || !Number.isFinite(waitMs) || waitMs <= maxPauseMs) return '';
  const seconds = Math.ceil(waitMs / 1000);
  return `, for another ${seconds} s; --max-wait ${seconds}s would wait for it`;
}

/** What GitHub says is wrong, in short; shortened last, since half a token is one, too. */
function faultIn(text: string, sent: Headers): string {
  const fault = GithubFault.safeParse(jsonOf(text));
  return fault.success ? (hideSent(fault.data.message, sent).split('\n', 1)[0]?.slice(0, 200) ?? '') : '';
}

function decode<T>({ text }: Answer, schema: z.ZodType<T>, path: string, asking: Asking): T {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return refused(asking, path, "GitHub's JSON", `${issue?.path.join('.')}: ${issue?.message}`);
}

/** `<https://api.github.com/repositories/123/releases?page=2>; rel="next", <...>; rel="last"`: followed, never built. */
function nextPage(link: string | undefined, from: string): string | undefined {
  for (const [, target, parameters] of (link ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^,;]*)*)/g)) {
    const isNext = /;\s*rel="?next"?/.test(parameters ?? '');
    if (isNext && target !== undefined)
      return URL.canParse(target, from) ? new URL(target, from).href : target;
  }
  return undefined;
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'no address';
}

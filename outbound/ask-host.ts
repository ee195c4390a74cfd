import type { Mismatch } from '../errors/fault.ts';
import { fail } from '../errors/release-error.ts';
import { jsonOf } from '../formats/json.ts';
import { reasonOf } from './asking.ts';
import { type Headers, type Http, type Opened, openGet, plainRedirect, type TimeLimits } from './http.ts';
import { type Failed as FailedOnce, persist, type RetryPolicy } from './persist.ts';
import type { HostFailure, SilentHosts } from './silent-hosts.ts';

/** How long and how often a host is tried before it counts as unreachable. */
export type HostRetryPolicy = RetryPolicy & Pick<TimeLimits, 'answerTimeoutMs' | 'idleTimeoutMs'>;

export const retryPolicy: HostRetryPolicy = {
  attempts: 4,
  firstDelayMs: 1_000,
  answerTimeoutMs: 15_000,
  idleTimeoutMs: 60_000,
  maxPauseMs: 60_000,
};

/** For verbs that only show: a person waits for the answer, and can ask again. */
export const quickRetryPolicy: HostRetryPolicy = {
  ...retryPolicy,
  attempts: 2,
  firstDelayMs: 500,
  answerTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
};

/** What requests to a host need, the same for the whole run. */
export type HttpAccess = {
  readonly http: Http;
  readonly retryPolicy: HostRetryPolicy;
  readonly signal: AbortSignal;
  readonly silentHosts: SilentHosts;
};

/** The result of one attempt; if it failed, the next may succeed. */
export type Attempt<T> = { readonly done: T } | Failed;

export type Failed = FailedOnce & {
  /** It is not what the source states; if that repeats, it is refused, not unreachable. */
  readonly refusal?: Mismatch;
};

/** An answer that is no success. A fault of ours does not go away by trying again. */
export function statusFailure(status: number, said = ''): Failed {
  const failed = `it answers with status ${status}${said}`;
  const isFinal = status < 500 && status !== 408 && status !== 429;
  return isFinal ? { failed, waitMs: Number.POSITIVE_INFINITY } : { failed };
}

/** One GET of the address that is asked for. */
export type Open = (how: {
  readonly headers: Headers;
  readonly decompress: boolean;
  /** The beginning of a large file may take long, where a proxy looks through all of it first. */
  readonly isFile?: boolean;
}) => Promise<Opened>;

/** A host that accepts the connection and never answers costs the whole time limit each time. */
const mostTimeouts = 2;

/**
 * Requests one address until an attempt succeeds or the retries are used up; network errors of an attempt are failures. A host
 * that does not answer is asked once in a run, also after a redirect.
 * @throws ReleaseError INTERRUPTED, and whatever an attempt throws that is final
 */
export async function askHost<T>(
  { http, retryPolicy, signal, silentHosts }: HttpAccess,
  url: string,
  attempt: (open: Open) => Promise<Attempt<T>>,
  onPause?: (why: string, leftMs: number) => void,
): Promise<{ readonly done: T } | (HostFailure & Pick<Failed, 'waitMs' | 'refusal'>)> {
  const { host } = new URL(url);
  const { idleTimeoutMs, answerTimeoutMs } = retryPolicy;
  /** From where nothing has come yet. */
  let awaited: string | undefined;
  let timeouts = 0;
  let isKnownSilent = false;

  return silentHosts.ask(host, async (answered) => {
    const onRedirect = async (to: URL): Promise<void> => {
      answered(awaited ?? host);
      awaited = to.host;
      const silence = await silentHosts.find(to.host);
      isKnownSilent = silence !== undefined;
      if (silence !== undefined) throw new Error(silence.failed);
    };
    const open: Open = async ({ isFile = false, ...how }) => {
      awaited = host;
      const isSlow = isFile || silentHosts.hasAnswered(host);
      const limits = { idleTimeoutMs, answerTimeoutMs: isSlow ? idleTimeoutMs : answerTimeoutMs };
      try {
        const opened = await openGet(http, url, { ...how, ...limits, signal, onRedirect });
        answered(awaited);
        awaited = undefined;
        return opened;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'ETIMEDOUT') timeouts += 1;
        // that it sends us on to plain http is an answer
        if (code === plainRedirect) awaited = undefined;
        throw error;
      }
    };
    const once = async (): Promise<Attempt<T>> => {
      awaited = undefined;
      const result = await attempt(open).catch((error: unknown) => ({ failed: reasonOf(error) }));
      if ('done' in result || awaited === undefined || silentHosts.hasAnswered(awaited)) return result;
      const isEnough = isKnownSilent || timeouts >= mostTimeouts;
      return isEnough ? { ...result, waitMs: Number.POSITIVE_INFINITY } : result;
    };
    const result = await persist(retryPolicy, signal, once, onPause).catch((error: unknown) => {
      if (signal.aborted && error === signal.reason) fail('INTERRUPTED', { state: 'nothing was published' });
      throw error;
    });
    if ('done' in result) return result;
    return { ...result, host: awaited ?? host, isSilent: awaited !== undefined };
  });
}

/**
 * Why an API's answer is not JSON, for an error message; undefined for whole JSON. A captive portal, a proxy's error page and a
 * truncated answer say nothing about upstream: the request is repeated, and then the host counts as unreachable.
 */
export function faultOfAnswer(text: string): string | undefined {
  if (jsonOf(text) !== undefined) return undefined;
  if (/^\s*</.test(text)) return 'it answers with a page of HTML instead of JSON';
  return text.trim() === '' ? 'it answers with nothing' : 'it answers with incomplete JSON';
}

export function headerOf({ headers }: Opened, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

import { readFileSync } from 'node:fs';
import { type CancelableRequest, type Got, RequestError, type Response } from 'got';
import * as z from 'zod';
import { fail } from '../../../errors/release-error.ts';
import { hideSent } from '../../../formats/hide-credentials.ts';
import { jsonOf } from '../../../formats/json.ts';
import { inShort } from '../../../formats/thrown.ts';
import type { TokenSource } from '../../settings/id-token.ts';

export type TokenExchange = {
  /** The run's one instance: proxies, certificates. */
  readonly http: Got;
  /** The server behind FEED_URL; nobody else is sent the token. */
  readonly serverUrl: string;
  readonly source: TokenSource;
  /** Whom the token is for. */
  readonly audience: string;
  /** Which publisher of the feed is meant, where several fit. */
  readonly publisher: string | undefined;
  readonly signal: AbortSignal;
};

/** The longest that the feed gives; an upload has to end within it, too. */
const lifetime = '1h';
/** From here on another one is got, so that what begins now can end. */
const freshShare = 2 / 3;
/** After a failure to get it, while the one at hand is still good. */
const againMs = 60_000;

const Exchanged = z.object({ key: z.string().min(1), expires: z.iso.datetime() });
const IdToken = z.object({ value: z.string().min(1) });
const Problem = z.object({ title: z.string() });

type Current = {
  readonly key: string;
  readonly token: string;
  readonly staleAt: number;
  readonly endsAt: number;
};

/**
 * A key for the OIDC token of the CI job that this run is, got when it is first needed. GitHub gives a job as many tokens as it asks for, so
 * that a long run gets another key in time; a token in a variable or a file can be exchanged once.
 */
export function createExchangedKey(
  exchange: TokenExchange,
  clock = () => performance.now(),
): () => Promise<string> {
  let current: Current | undefined;
  let getting: Promise<Current> | undefined;

  async function renewed(): Promise<Current> {
    const token = await idTokenOf(exchange);
    if (current === undefined || token !== current.token) return askForKey(exchange, token, clock);
    // The same token would be refused; the key is good until its end.
    return clock() < current.endsAt ? current : fail('FEED_TOKEN_ENDED', { url: exchange.serverUrl });
  }

  /** A moment of silence, at GitHub or the feed, ends no run whose key is still good. */
  function kept(error: unknown): Current {
    if (current === undefined || clock() >= current.endsAt) throw error;
    return { ...current, staleAt: clock() + againMs };
  }

  return async () => {
    if (current === undefined || clock() >= current.staleAt) {
      getting ??= renewed()
        .catch(kept)
        .finally(() => {
          getting = undefined;
        });
      current = await getting;
    }
    return current.key;
  };
}

/** @throws ReleaseError FEED_TOKEN_MISSING */
async function idTokenOf({ http, source, audience, signal }: TokenExchange): Promise<string> {
  if (source.kind === 'text') return source.text;
  if (source.kind === 'file') {
    const text = readToken(source.path);
    return text === '' ? missing(`${source.path} is empty`) : text;
  }
  const url = new URL(source.url);
  url.searchParams.set('audience', audience);
  const headers = { authorization: `Bearer ${source.secret}`, accept: 'application/json' };
  const answer = await send(http, url, { headers, signal, retry: { limit: 2 } }, (cause) =>
    missing(`GitHub cannot be reached: ${cause}`),
  );
  const token = IdToken.safeParse(jsonOf(answer.body));
  return token.success ? token.data.value : missing(`GitHub answers ${answer.statusCode}`);
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return missing(`${path} cannot be read`);
  }
}

function missing(cause: string): never {
  return fail('FEED_TOKEN_MISSING', { cause });
}

/** @throws ReleaseError FEED_TOKEN_REFUSED, FEED_TOKEN_UNKNOWN, FEED_UNREACHABLE */
async function askForKey(
  { http, serverUrl, publisher, audience, signal }: TokenExchange,
  token: string,
  clock: () => number,
): Promise<Current> {
  const json = { token, lifetime, ...(publisher === undefined ? {} : { publisher }) };
  // Sent once: the feed takes each token once, also one whose answer was lost.
  const options = { method: 'POST', json, signal, retry: { limit: 0 } } as const;
  const answer = await send(http, new URL(`${serverUrl}/api/v1/token`), options, (cause) =>
    fail('FEED_UNREACHABLE', { url: serverUrl, cause }),
  );
  const made = Exchanged.safeParse(jsonOf(answer.body));
  if (answer.statusCode === 201 && made.success) {
    const { key, expires } = made.data;
    // By the feed's own clock: ours may be wrong.
    const lifetimeMs = Date.parse(expires) - Date.parse(answer.headers.date ?? new Date().toUTCString());
    return { key, token, staleAt: clock() + lifetimeMs * freshShare, endsAt: clock() + lifetimeMs };
  }
  const said = Problem.safeParse(jsonOf(answer.body)).data?.title;
  if (said === undefined) return fail('FEED_TOKEN_UNKNOWN', { url: serverUrl, status: answer.statusCode });
  const reason = hideSent(said, { authorization: `Bearer ${token}` })
    .slice(0, 512)
    .replace(/\.$/, '');
  return fail('FEED_TOKEN_REFUSED', { url: serverUrl, reason, audience });
}

/** A token has 2 KB. */
const maxAnswerBytes = 64 * 1024;

type Answer = {
  readonly statusCode: number;
  readonly body: string;
  readonly headers: { readonly date?: string | undefined };
};

async function send(
  http: Got,
  url: URL,
  options: object,
  unreachable: (cause: string) => never,
): Promise<Answer> {
  try {
    const asked = http(url, {
      ...options,
      responseType: 'text',
      throwHttpErrors: false,
      // A redirect would lead the token, or the runner's secret, elsewhere.
      followRedirect: false,
      timeout: { connect: 10_000, request: 60_000 },
    }) as CancelableRequest<Response<string>>;
    asked.on('downloadProgress', ({ transferred }) => {
      if (transferred > maxAnswerBytes) asked.cancel();
    });
    return await asked;
  } catch (error) {
    // Not as a cause: an error of got's holds the request, and with it the token.
    if (error instanceof RequestError) return unreachable(inShort(error));
    throw error;
  }
}

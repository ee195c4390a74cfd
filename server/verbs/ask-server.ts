import { got, HTTPError, type OptionsOfTextResponseBody } from 'got';
import * as z from 'zod';
import { hideSent } from '../../formats/hide-credentials.ts';
import { jsonOf } from '../../formats/json.ts';
import { messageOf } from '../../formats/thrown.ts';
import { FeedError, fail } from '../errors.ts';
import type { ServerFile } from '../server-file.ts';

/** The running server that holds the data folder. */
export type RunningServer = {
  /** Where it listens. */
  readonly url: string;
  /** Its RESERVED_IDS. */
  readonly reservedIds?: readonly string[] | undefined;
  /**
   * Sends a request with a key that has every scope; addresses are relative: `api/v1/keys`.
   * @throws FeedError SERVER_*, INTERRUPTED
   */
  ask(address: string, options?: OptionsOfTextResponseBody): Promise<string>;
};

/** How long the running server may be silent before a verb gives up. */
export type Timeouts = { readonly connectMs: number; readonly answerMs: number };

const defaultTimeouts: Timeouts = { connectMs: 10_000, answerMs: 60_000 };

export function reachServer(
  { url, key, reservedIds }: ServerFile,
  signal: AbortSignal,
  { connectMs, answerMs }: Timeouts = defaultTimeouts,
): RunningServer {
  const http = got.extend({
    prefixUrl: url,
    headers: { authorization: `Bearer ${key}` },
    retry: { limit: 0 },
    // The server never redirects; a redirect by another program at its old port would leak the key.
    followRedirect: false,
    timeout: { connect: connectMs, secureConnect: connectMs, socket: answerMs, response: answerMs },
    signal,
    // It listens on this machine, at an address that its certificate need not name.
    https: { rejectUnauthorized: false },
  });
  return {
    url,
    reservedIds,
    async ask(address, options = {}) {
      try {
        const { statusCode, body } = await http(address, {
          ...options,
          responseType: 'text',
          isStream: false,
        });
        if (statusCode < 300) return body;
      } catch (error) {
        // Not even as a cause: an error of got's holds the request, and with it the key.
        throw explain(error, url, signal);
      }
      return fail('SERVER_STRANGE', { url });
    },
  };
}

/** Reads a JSON answer; `options` may set another method than GET. @throws FeedError SERVER_*, INTERRUPTED */
export async function readJson<Schema extends z.ZodType>(
  server: RunningServer,
  address: string,
  schema: Schema,
  options: OptionsOfTextResponseBody = {},
): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse(jsonOf(await server.ask(address, options)));
  return parsed.success ? parsed.data : fail('SERVER_STRANGE', { url: server.url });
}

/** The server's own sentence if it sent one (http/error-body.ts). */
function explain(error: unknown, url: string, signal: AbortSignal): FeedError {
  if (signal.aborted) return new FeedError('INTERRUPTED', { state: 'the server may have done it already.' });
  if (!(error instanceof HTTPError)) return new FeedError('SERVER_SILENT', { url, cause: messageOf(error) });
  const { rawBody, statusCode: status, statusMessage = '' } = error.response;
  const problem = problemOf(String(rawBody));
  const said = problem?.title ?? (statusMessage || `status ${status}`);
  const reason = hideSent(said, error.request?.options.headers ?? {});
  if (status === 503) return new FeedError('SERVER_SILENT', { url, cause: reason });
  return new FeedError('SERVER_REFUSED', { reason, status, code: problem?.code ?? '' });
}

function problemOf(body: string): z.infer<typeof Problem> | undefined {
  return Problem.safeParse(jsonOf(body)).data;
}
const Problem = z.object({ title: z.string(), code: z.string().optional().catch(undefined) });

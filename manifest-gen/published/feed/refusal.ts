import type { Response } from 'got';
import * as z from 'zod';
import { fail } from '../../../errors/release-error.ts';
import { hideSent } from '../../../formats/hide-credentials.ts';
import { jsonOf } from '../../../formats/json.ts';

/** The server's sentence is the reason phrase, repeated in the body (spec nuget-v2 10.3). */
export function reasonOf(response: Response<unknown>): string {
  const said = response.statusMessage || `status ${response.statusCode}`;
  return hideSent(said, response.request.options.headers).slice(0, 512).replace(/\.$/, '');
}

/** @throws ReleaseError FEED_REFUSED, with what to do about it */
export function refuse(response: Response<unknown>, what: string): never {
  const status = response.statusCode;
  const general = status === 401 ? keyHint(response.request.options.method) : (hints[status] ?? hints.other);
  // our server says itself what to do where it is not the key
  const isOfKey = /^(KEY_.*|ID_RESERVED)$/.test(codeOf(response) ?? 'KEY_');
  const hint = status === 403 && !isOfKey ? 'The feed itself says what it expects.' : general;
  fail('FEED_REFUSED', { status, what, reason: reasonOf(response), hint });
}

const Problem = z.object({ code: z.string() });

/** Of an error of our server; undefined where another program answers. */
export function codeOf({ body }: Response<unknown>): string | undefined {
  if (typeof body !== 'string') return undefined;
  return Problem.safeParse(jsonOf(body)).data?.code ?? /<m:code>(\w+)<\/m:code>/.exec(body)?.[1];
}

/** The same for an answer that is not a success. */
export function requireSuccess(response: Response<unknown>, what: string): void {
  if (response.statusCode < 200 || response.statusCode >= 300) refuse(response, what);
}

function keyHint(method: string): string {
  const scopes: Readonly<Record<string, string>> = { GET: 'read', HEAD: 'read', DELETE: 'unlist' };
  const scope = scopes[method] ?? 'push';
  return `Set a key with the scope ${scope} in FEED_API_KEY or FEED_API_KEY_FILE; on a go-win-tools server \`feed:keys add --name NAME --scope ${scope}\` makes one.`;
}

const hints: Readonly<Record<number, string>> & { readonly other: string } = {
  403: 'Check FEED_API_KEY (unset: start.key in DATA_DIR was sent), its scopes and its ids.',
  404: 'Check FEED_URL: it must be the address of a NuGet v2 feed.',
  413: 'Raise MAX_PACKAGE_BYTES of the server.',
  507: 'Free some space on the server and run again; it goes on from there.',
  other: "See the feed's log.",
};

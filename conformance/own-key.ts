import * as z from 'zod';
import { fail } from './errors.ts';
import type { Feed } from './feed.ts';
import { Violation } from './verdict.ts';

/** What the run does: it pushes stable and prerelease packages and takes them back. */
const needed = ['push', 'unlist'] as const;

const OwnKey = z.object({ name: z.string(), scopes: z.array(z.string()) });

/**
 * Asks what the key may do to the packages of this run, where the server can say so, as ours does at /api/v1/key. A key that could
 * push and not take back would leave hundreds of packages listed.
 * @throws ConformanceError KEY_REFUSED, KEY_SCOPES before anything is pushed
 */
export async function checkOwnKey(feed: Feed, apiKey: string, id: string): Promise<void> {
  const root = feed.base.replace(/\/(nuget|api\/v2)$/i, '');
  const options = { headers: { 'X-NuGet-ApiKey': apiKey, Accept: 'application/json' } };
  const answer = await feed.askAddress(`${root}/api/v1/key?id=${id}`, options).catch((error: unknown) => {
    if (error instanceof Violation) return undefined;
    throw error;
  });
  if (answer === undefined) return;
  const isOurs = /json/.test(answer.headers['content-type'] ?? '');
  if (isOurs && (answer.status === 401 || answer.status === 403)) fail('KEY_REFUSED', { url: feed.base });
  const key = answer.status === 200 ? readKey(answer.body) : undefined;
  const missing = needed.filter((scope) => key !== undefined && !key.scopes.includes(scope));
  if (key !== undefined && missing.length > 0)
    fail('KEY_SCOPES', { name: key.name, needed: needed.join(' and '), missing: missing.join(' and '), id });
}

/** Undefined for the answer of a server that answers 200 to everything. */
function readKey(body: Uint8Array): z.infer<typeof OwnKey> | undefined {
  try {
    return OwnKey.safeParse(JSON.parse(Buffer.from(body).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

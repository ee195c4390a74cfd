import { z } from 'zod';
import { fail } from '../../errors.ts';
import { ask, type FeedHttp, jsonFrom, requireSuccess } from './http.ts';

const Held = z.object({
  version: z.string(),
  packageId: z.string(),
  /** Of its package, hex. */
  sha256: z.string(),
  hasManifest: z.boolean(),
});
/** A version that is uploaded and that nobody sees yet. */
export type Held = z.infer<typeof Held>;

export type HeldManifest = {
  readonly packageId: string;
  readonly manifest: string;
  /** Of the commit that brings it to the branches. */
  readonly message: string;
  /** The version whose rollout it takes back. */
  readonly corrects?: string | undefined;
};

/** @throws ReleaseError FEED_REFUSED, FEED_UNREACHABLE */
export async function listHeld(feed: FeedHttp, tool: string): Promise<readonly Held[]> {
  const response = await ask(feed, addressOf(feed, tool));
  requireSuccess(response, `the request for held versions of ${tool}`);
  return jsonFrom(response, z.array(Held)) ?? [];
}

/** @throws ReleaseError FEED_CONFLICT where it has another, FEED_REFUSED, FEED_UNREACHABLE */
export async function putHeldManifest(
  feed: FeedHttp,
  tool: string,
  version: string,
  manifest: HeldManifest,
): Promise<void> {
  const response = await ask(feed, addressOf(feed, tool, version), { method: 'PUT', json: manifest });
  const what = `the manifest of ${tool} ${version}`;
  if (response.statusCode === 409)
    fail('FEED_CONFLICT', { what, expected: 'the same text', found: 'another' });
  requireSuccess(response, what);
}

/** Its number is free then. @throws ReleaseError FEED_REFUSED, also while a rollout needs it; FEED_UNREACHABLE */
export async function discardHeld(feed: FeedHttp, tool: string, version: string): Promise<void> {
  const response = await ask(feed, addressOf(feed, tool, version), { method: 'DELETE' });
  if (response.statusCode !== 404)
    requireSuccess(response, `the removal of the held version ${tool} ${version}`);
}

function addressOf({ serverUrl }: FeedHttp, ...path: readonly string[]): string {
  return `${serverUrl}/api/v1/held/${path.map(encodeURIComponent).join('/')}`;
}

import * as z from 'zod';
import { fail } from '../../../errors/release-error.ts';
import { askServer, type FeedHttp, jsonFrom } from './http.ts';
import { codeOf, requireSuccess } from './refusal.ts';

const Held = z.object({
  version: z.string(),
  packageId: z.string(),
  /** Of its package, hex. */
  sha256: z.string(),
  hasManifest: z.boolean(),
});
/** A version that is uploaded and that nobody sees yet. */
export type Held = z.infer<typeof Held>;

const HeldManifest = z.object({
  packageId: z.string(),
  manifest: z.string(),
  /** Of the commit that brings it to the branches. */
  message: z.string(),
  /** The version whose rollout it takes back. */
  corrects: z.string().optional(),
});
export type HeldManifest = z.infer<typeof HeldManifest>;

/** @throws ReleaseError FEED_REFUSED, FEED_UNREACHABLE */
export async function listHeld(feed: FeedHttp, tool: string): Promise<readonly Held[]> {
  const response = await askServer(feed, ['held', tool]);
  requireSuccess(response, `the request for held versions of ${tool}`);
  return jsonFrom(response, z.array(Held)) ?? [];
}

/** Undefined where it is not held, or not any more. @throws ReleaseError FEED_REFUSED, FEED_UNREACHABLE */
export async function readHeldManifest(
  feed: FeedHttp,
  tool: string,
  version: string,
): Promise<HeldManifest | undefined> {
  const response = await askServer(feed, ['held', tool, version]);
  if (response.statusCode === 404) return undefined;
  requireSuccess(response, `the request for the manifest of ${tool} ${version}`);
  return jsonFrom(response, HeldManifest);
}

/** @throws ReleaseError FEED_CONFLICT where it has another, FEED_REFUSED, FEED_UNREACHABLE */
export async function putHeldManifest(
  feed: FeedHttp,
  tool: string,
  version: string,
  manifest: HeldManifest,
): Promise<void> {
  const response = await askServer(feed, ['held', tool, version], { method: 'PUT', json: manifest });
  const what = `the manifest of ${tool} ${version}`;
  if (response.statusCode === 409 && codeOf(response) !== 'CORRECTION_APPROVED')
    fail('FEED_CONFLICT', { what, expected: 'the same text', found: 'another' });
  requireSuccess(response, what);
}

/** Its number is free then; false where nothing of it is held. @throws ReleaseError FEED_REFUSED, also while a rollout needs it; FEED_UNREACHABLE */
export async function discardHeld(feed: FeedHttp, tool: string, version: string): Promise<boolean> {
  const response = await askServer(feed, ['held', tool, version], { method: 'DELETE' });
  if (response.statusCode === 404) return false;
  requireSuccess(response, `the removal of the held version ${tool} ${version}`);
  return true;
}

import { z } from 'zod';
import { fail } from '../../errors.ts';
import { ask, jsonFrom, requireSuccess } from './http.ts';
import type { RolloutApi } from './rollouts.ts';

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
export async function listHeld(api: RolloutApi, tool: string): Promise<readonly Held[]> {
  const response = await ask(api.feed, addressOf(api, tool));
  requireSuccess(response, `the request for held versions of ${tool}`);
  return jsonFrom(response, z.array(Held)) ?? [];
}

/** @throws ReleaseError FEED_CONFLICT where it has another, FEED_REFUSED, FEED_UNREACHABLE */
export async function putHeldManifest(
  api: RolloutApi,
  { tool, version }: { readonly tool: string; readonly version: string },
  manifest: HeldManifest,
): Promise<'put' | 'same'> {
  const response = await ask(api.feed, addressOf(api, tool, version), {
    method: 'PUT',
    body: JSON.stringify(manifest),
    headers: { 'content-type': 'application/json' },
  });
  const what = `the manifest of ${tool} ${version}`;
  if (response.statusCode === 409)
    fail('FEED_CONFLICT', { what, expected: 'the same text', found: 'another' });
  requireSuccess(response, what);
  return response.statusCode === 201 ? 'put' : 'same';
}

/** Its number is free then. @throws ReleaseError FEED_REFUSED, also while a rollout needs it; FEED_UNREACHABLE */
export async function discardHeld(api: RolloutApi, tool: string, version: string): Promise<void> {
  const response = await ask(api.feed, addressOf(api, tool, version), { method: 'DELETE' });
  if (response.statusCode !== 404)
    requireSuccess(response, `the removal of the held version ${tool} ${version}`);
}

function addressOf({ serverUrl }: RolloutApi, ...path: readonly string[]): string {
  return `${serverUrl}/api/v1/held/${path.map(encodeURIComponent).join('/')}`;
}

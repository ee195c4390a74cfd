import { ReleaseError } from '../../errors/release-error.ts';
import { type RebasedManifest, rebaseManifest } from '../build/render/rebase.ts';
import { type HeldManifest, listHeld, putHeldManifest, readHeldManifest } from '../published/feed/held.ts';
import { knownRollouts } from '../published/feed/rollouts.ts';
import type { OpenToolkit } from '../toolkit.ts';
import type { Rebase } from './rebase-plan.ts';
import type { OpenVerbToolkit } from './run/toolkit.ts';

/** The manifest of a held version that gets another base address: a rollout would bring the old one to the branches. */
export type HeldMove = RebasedManifest & { readonly tool: string; readonly held: HeldManifest };

/**
 * What is held for rollouts, their corrections included. None where the feed is not of our server, or the key may not see them.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED
 */
export async function planHeldMoves(rebase: Rebase, toolkit: OpenVerbToolkit): Promise<readonly HeldMove[]> {
  const { feed, endpoints, bucket, report } = toolkit;
  if (!endpoints.isOwnServer) return [];
  const rolling = (await knownRollouts(toolkit)).map(({ tool }) => tool);
  // those of a start that was interrupted have a beta
  const tools = new Set([...(await bucket.tools('main')), ...(await bucket.tools('beta')), ...rolling]);
  const moves: HeldMove[] = [];
  for (const tool of tools) {
    try {
      for (const { version } of await listHeld(feed, tool)) {
        const held = await readHeldManifest(feed, tool, version);
        const move = held && rebaseManifest(held.manifest, tool, rebase);
        if (held !== undefined && move !== undefined) moves.push({ ...move, tool, held });
      }
    } catch (error) {
      const isHidden = error instanceof ReleaseError && [401, 403].includes(Number(error.details.status));
      if (!isHidden) throw error;
      report.warn(tool, 'this key does not see what is held for its rollouts: that keeps its addresses');
    }
  }
  return moves;
}

/** False where it was published or discarded meanwhile. @throws ReleaseError FEED_* */
export async function moveHeld(
  { tool, version, text, held }: HeldMove,
  { feed, done }: OpenToolkit,
): Promise<boolean> {
  try {
    await putHeldManifest(feed, tool, version, { ...held, manifest: text });
  } catch (error) {
    if (error instanceof ReleaseError && error.details.status === 404) return false;
    throw error;
  }
  done.push(`the held manifest of ${tool} ${version}`);
  return true;
}

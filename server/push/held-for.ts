import type { Request } from 'express';
import { quoted } from '../../formats/format-error.ts';
import { isToolName } from '../../formats/tool-name.ts';
import { fail } from '../errors.ts';
import type { HeldFor } from '../feed/publish.ts';
import { requireOwner } from '../feed/reserved-ids.ts';
import { principalWith } from '../http/auth.ts';

export type HeldForServices = {
  readonly reservedIds: readonly string[] | undefined;
  readonly bucket: {
    /** Of a version that a branch has, or ever had. */
    readManifestAtVersion(tool: string, version: string): Promise<object | undefined>;
  };
};

/**
 * The header `X-Held: TOOL`: the package is uploaded for a rollout of this tool, and nobody sees it before.
 * @throws FeedError HEADER_INVALID, KEY_SCOPE, KEY_IDS, ID_RESERVED
 */
export async function heldForOf(
  { reservedIds, bucket }: HeldForServices,
  req: Request,
): Promise<HeldFor | undefined> {
  const tool = req.get('x-held');
  if (tool === undefined) return undefined;
  if (!isToolName(tool)) {
    fail('HEADER_INVALID', { name: 'X-Held', expected: 'the name of a tool', found: quoted(tool) });
  }
  requireOwner(reservedIds ?? [], tool, await principalWith(req, ['push'], tool));
  return {
    tool,
    isOnBranch: async (version) => (await bucket.readManifestAtVersion(tool, version)) !== undefined,
  };
}

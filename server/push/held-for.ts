import type { Request } from 'express';
import { fail } from '../errors.ts';
import { principalWith } from '../http/auth.ts';

/**
 * The header `X-Held: TOOL`: the package is uploaded for a rollout of this tool, and nobody sees it before.
 * @throws FeedError HEADER_INVALID, KEY_SCOPE, KEY_IDS
 */
export async function heldForOf(req: Request): Promise<string | undefined> {
  const tool = req.get('x-held');
  if (tool === undefined) return undefined;
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(tool)) {
    fail('HEADER_INVALID', { name: 'X-Held', expected: 'the name of a tool' });
  }
  await principalWith(req, ['push'], tool);
  return tool;
}

import type { Actor } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { fail } from '../errors.ts';

type Services = { readonly catalog: Catalog };

/**
 * Hides a version from search and from the latest flags; whoever names it still gets it (spec nuget-v2 10.4).
 * Unlisting what is unlisted changes nothing.
 * @throws FeedError PACKAGE_NOT_FOUND
 */
export async function unlist(
  { catalog }: Services,
  id: string,
  version: string,
  by: Actor,
  reason?: string,
): Promise<void> {
  if ((await catalog.setListed(id, version, false, by, reason)) === 'missing')
    fail('PACKAGE_NOT_FOUND', { id, version });
}

/** Shows it again. @throws FeedError PACKAGE_NOT_FOUND */
export async function relist(
  { catalog }: Services,
  id: string,
  version: string,
  by: Actor,
  reason?: string,
): Promise<void> {
  if ((await catalog.setListed(id, version, true, by, reason)) === 'missing')
    fail('PACKAGE_NOT_FOUND', { id, version });
}

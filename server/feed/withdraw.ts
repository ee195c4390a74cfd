import type { Actor } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Approvals, requireNoApproval } from './approvals.ts';
import { missing } from './retrieve.ts';

type Services = {
  readonly catalog: Catalog;
  /** The setting APPROVALS. */
  readonly approvals: Approvals;
};

/**
 * Hides a version from search and from the latest flags; it can still be downloaded by its version (spec nuget-v2 10.4).
 * Unlisting an unlisted version changes nothing.
 * @throws FeedError PACKAGE_NOT_FOUND, VERSION_PURGED
 */
export const unlist = setListed(false);

/** Shows it again. @throws FeedError PACKAGE_NOT_FOUND, VERSION_PURGED, APPROVALS_NEEDED */
export const relist = setListed(true);

function setListed(isListed: boolean) {
  return async (
    { catalog, approvals }: Services,
    id: string,
    version: string,
    by: Actor,
    reason?: string,
  ): Promise<void> => {
    if (isListed) requireNoApproval(approvals, { id, version });
    const is = await catalog.setListed(id, version, isListed, by, reason);
    if (is === 'missing') await missing(catalog, id, version);
  };
}

import { isPrerelease, parseNuGetVersion } from '../../formats/nuget-version.ts';
import { fail } from '../errors.ts';
import { matchesGlob } from '../keys/glob.ts';

/** The setting APPROVALS: how many other owners must approve a stable version of the packages and tools that a glob fits. */
export type Approvals = readonly { readonly glob: string; readonly owners: number }[];

/** Of several globs that fit, the strictest counts. */
export function approvalsNeeded(approvals: Approvals, id: string): number {
  return Math.max(0, ...approvals.filter(({ glob }) => matchesGlob(glob, id)).map(({ owners }) => owners));
}

/**
 * Approvals are given to a rollout (contract section 8): by no other way does a stable version of these ids become visible.
 * Prereleases, which only testers see, need none.
 * @throws FeedError APPROVALS_NEEDED
 */
export function requireNoApproval(
  approvals: Approvals,
  { id, version }: { readonly id: string; readonly version: string },
): void {
  const needed = approvalsNeeded(approvals, id);
  const parsed = parseNuGetVersion(version);
  if (needed === 0 || (parsed !== undefined && isPrerelease(parsed))) return;
  fail('APPROVALS_NEEDED', { id, version, needed });
}

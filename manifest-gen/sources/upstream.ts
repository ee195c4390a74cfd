import type { BuiltBefore, Fetched, Found, Lacking, Sidecar, UpstreamVersion } from '../release.ts';
import type { Report } from '../system/report.ts';
import type { Tool, UpstreamKind } from '../tool-file/tools.ts';

/**
 * The port to a place that releases come from. Contract suite: test/contract/upstream.ts.
 *
 * All three may throw ReleaseError: SOURCE_UNREACHABLE when the place does not answer (exit 4; the caller adds the
 * hint which other `--source` would do), REFUSED when it answers with something that is not what it says (exit 3).
 * That it does not have a version is a value, not an error.
 */
export interface Upstream {
  readonly kind: UpstreamKind;
  /** Stable versions, newest first, without leading v; prereleases, drafts, nightlies and odd tags are left out. */
  versions(tool: Tool): Promise<readonly UpstreamVersion[]>;
  /** @param before counts for what is built here */
  find(tool: Tool, version: string, before?: BuiltBefore): Promise<Found | Lacking>;
  /** Downloads (or builds) into the cache, resumable; digests are computed while streaming. */
  fetch(found: Found, report: Report): Promise<Fetched>;
  /** What the source vouches for only to who asks it, as proofs for a machine that cannot (bundle:create). */
  prove?(fetched: Fetched): Promise<readonly Sidecar[]>;
}

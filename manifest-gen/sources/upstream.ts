import type { Report } from '../../system/report.ts';
import type { BuiltBefore, Fetched, Found, Lacking, Sidecar, UpstreamVersion } from '../release.ts';
import type { UpstreamKind } from '../tool-file/sources.ts';
import type { Tool } from '../tool-file/tools.ts';

/**
 * The port to a source of releases. Contract suite: test/contract/upstream.ts. All three may throw ReleaseError:
 * SOURCE_UNREACHABLE when the source does not answer (exit 4; the caller adds the hint which other `--source` would work),
 * REFUSED when it answers with something else than it claims (exit 3). A missing version is a value, not an error.
 */
export interface Upstream {
  readonly kind: UpstreamKind;
  /** Stable versions, newest first, without leading v; prereleases, drafts, nightlies and odd tags are left out. */
  versions(tool: Tool): Promise<readonly UpstreamVersion[]>;
  /** @param before counts for what is built here */
  find(tool: Tool, version: string, before?: BuiltBefore): Promise<Found | Lacking>;
  /** Downloads (or builds) into the cache, resumable; digests are computed while streaming. */
  fetch(found: Found, report: Report): Promise<Fetched>;
  /** Evidence that only the source itself can give, as proofs for a machine without a network (bundle:create). */
  prove?(fetched: Fetched): Promise<readonly Sidecar[]>;
}

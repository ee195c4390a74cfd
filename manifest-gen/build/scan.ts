import { fail } from '../../errors/release-error.ts';
import { readPrograms } from '../../formats/go-buildinfo.ts';
import { compareScans, describeChange } from '../../vulnerabilities/change.ts';
import type { ScanResult } from '../../vulnerabilities/scanner.ts';
import { readReleaseVersion } from '../plan/release-version.ts';
import { releasedAs } from '../plan/same-files.ts';
import { takeExes } from '../published/exes.ts';
import type { Released } from '../published/published.ts';
import type { Found, Unpacked } from '../release.ts';
import { moduleOf, type Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';

/** Of all exes, now that they are here. @throws ReleaseError REFUSED for another version's, VULNERABLE by the policy, VULN_DB_* */
export async function scan(
  { found, version }: { readonly found: Found; readonly version: string },
  unpacked: Unpacked,
  toolkit: OpenToolkit,
): Promise<void> {
  const { tool } = found;
  // a withdrawal goes back to an older version on purpose
  if (readReleaseVersion(version)?.upstream === found.version)
    await requireOwnBytes(found, unpacked, toolkit);
  if (toolkit.scanner === undefined) {
    toolkit.report.step(tool.tool, 'skipped', 'scan: VULN_DB is not set');
    return;
  }
  const scan = await toolkit.scanner.scan(await readPrograms(unpacked.exes), moduleOf(tool, found.version));
  const change = compareScans('exe', await scanOffered(tool, toolkit), scan);
  const count = scan.findings.length;
  const known = count === 1 ? '1 known vulnerability' : `${count} known vulnerabilities`;
  const detail = `${known}; against main: ${describeChange(change)}`;
  toolkit.report.step(tool.tool, 'known', detail);
  toolkit.scanner.require(scan, tool.tool, version);
}

async function requireOwnBytes(
  { tool, version }: Found,
  { exes }: Unpacked,
  { bucket }: OpenToolkit,
): Promise<void> {
  const released = await bucket.releasedHashes(tool.tool);
  for (const { asset, digest } of exes) {
    const before = releasedAs([digest.sha256, asset.digest.sha256], version, released);
    if (before === undefined) continue;
    const [expected, found] = ['bytes that no other version has', `bytes that were released as ${before}`];
    fail('REFUSED', { tool: tool.tool, version, file: asset.name, expected, found });
  }
}

/**
 * What is known of the version that main offers; undefined when it offers none, its package is not on the feed, or there is no
 * scan (no VULN_DB).
 * @throws ReleaseError VULN_DB_*, FEED_*, PLACE_UNREACHABLE, OTHER_BYTES
 */
export async function scanOffered(tool: Tool, toolkit: OpenToolkit): Promise<ScanResult | undefined> {
  const version = await toolkit.bucket.version('main', tool.tool);
  if (version === undefined || toolkit.scanner === undefined) return undefined;
  const released = await toolkit.published.release(tool, version);
  return released && scanReleased(tool, released, toolkit);
}

/** All of its exes, so that modules of a single architecture are found, too. Same errors. */
export async function scanReleased(
  tool: Tool,
  released: Released,
  toolkit: OpenToolkit,
): Promise<ScanResult | undefined> {
  if (toolkit.scanner === undefined) return undefined;
  const { exes, missing } = await takeExes(tool, released, toolkit);
  const upstream = released.record?.source.version;
  return toolkit.scanner.scan(await readPrograms(exes), moduleOf(tool, upstream), missing);
}

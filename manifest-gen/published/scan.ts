import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { readPrograms } from '../verify/programs.ts';
import type { ScanResult } from '../vulnerabilities/scanner.ts';
import type { Channel } from './bucket/repository.ts';
import { takeExes } from './exes.ts';
import { listVersions } from './feed/client.ts';
import { type Released, readReleased } from './released.ts';

/**
 * What is known of the version that a branch offers; undefined when it offers none, its package is not on the feed, or there is
 * no scan (no VULN_DB).
 * @throws ReleaseError VULN_DB_*, FEED_*, PLACE_UNREACHABLE, OTHER_BYTES
 */
export async function scanOffered(
  branch: Channel,
  tool: Tool,
  toolkit: OpenToolkit,
): Promise<ScanResult | undefined> {
  const version = await toolkit.bucket.version(branch, tool.tool);
  if (version === undefined || toolkit.scanner === undefined) return undefined;
  const packages = await listVersions(toolkit.feed, tool.packageId ?? tool.tool);
  const pkg = packages.find((one) => one.version === version);
  return pkg && scanReleased(tool, await readReleased(toolkit.feed, toolkit.cache, pkg), toolkit);
}

/** All of its exes, so that modules of a single architecture are found, too. Same errors. */
export async function scanReleased(
  tool: Tool,
  released: Released,
  toolkit: OpenToolkit,
): Promise<ScanResult | undefined> {
  if (toolkit.scanner === undefined) return undefined;
  // of its own: several releases of a tool may look at the same offer at once
  const dir = await mkdtemp(join(toolkit.workDir, 'look-'));
  try {
    const { exes, missing } = await takeExes(tool, released, dir, toolkit);
    return await toolkit.scanner.scan(
      await readPrograms(exes),
      tool,
      released.record?.source.version,
      missing,
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

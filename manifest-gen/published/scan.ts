import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tool } from '../tool-file/tools.ts';
import type { Context } from '../verbs/run/context.ts';
import { readPrograms } from '../verify/programs.ts';
import type { ScanResult } from '../vulnerabilities/scanner.ts';
import type { Channel } from './bucket/repository.ts';
import { takeExes } from './exes.ts';
import { listVersions } from './feed/client.ts';
import { type Released, readReleased } from './released.ts';

/**
 * What is known of the version that a branch offers; undefined when it offers none, its package is not on the feed, or nobody
 * looks (no VULN_DB).
 * @throws ReleaseError VULN_DB_*, FEED_*, PLACE_UNREACHABLE, OTHER_BYTES
 */
export async function scanOffered(
  branch: Channel,
  tool: Tool,
  context: Context,
): Promise<ScanResult | undefined> {
  const version = await context.bucket.version(branch, tool.tool);
  if (version === undefined || context.scanner === undefined) return undefined;
  const packages = await listVersions(context.feed, tool.packageId ?? tool.tool);
  const pkg = packages.find((one) => one.version === version);
  return pkg && scanReleased(tool, await readReleased(context.feed, context.toolkit.cache, pkg), context);
}

/** All of its exes: what an architecture alone is made of is found too. Same errors. */
export async function scanReleased(
  tool: Tool,
  released: Released,
  context: Context,
): Promise<ScanResult | undefined> {
  if (context.scanner === undefined) return undefined;
  // of its own: several releases of a tool may look at the same offer at once
  const dir = await mkdtemp(join(context.workDir, 'look-'));
  try {
    const { exes, missing } = await takeExes(tool, released, dir, context);
    return await context.scanner.scan(
      await readPrograms(exes),
      tool,
      released.record?.source.version,
      missing,
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

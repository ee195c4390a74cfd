import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openNupkg } from '../../formats/nupkg.ts';
import { exeName } from '../payload-file.ts';
import type { Channel } from '../publish/bucket-repository.ts';
import { listVersions } from '../publish/feed-client.ts';
import { type Released, readReleased } from '../publish/released.ts';
import type { Tool } from '../tools.ts';
import { type Program, readPrograms } from '../verify/programs.ts';
import type { Look } from '../vulnerabilities/watch.ts';
import type { Context } from './context.ts';

/**
 * What is known of the version that a branch offers; undefined when it offers none, its package is not on the feed, or nobody
 * looks (no VULN_DB).
 * @throws ReleaseError VULN_DB_*, FEED_*
 */
export async function lookAtOffer(branch: Channel, tool: Tool, context: Context): Promise<Look | undefined> {
  const version = await context.bucket.version(branch, tool.tool);
  if (version === undefined || context.watch === undefined) return undefined;
  const packages = await listVersions(context.feed, tool.packageId ?? tool.tool);
  const pkg = packages.find((one) => one.version === version);
  return pkg && lookAtReleased(tool, await readReleased(context.feed, context.world.cache, pkg), context);
}

/** The amd64 exe in a package of the feed. @throws ReleaseError VULN_DB_* */
export async function lookAtReleased(
  tool: Tool,
  released: Released,
  context: Context,
): Promise<Look | undefined> {
  return context.watch?.look(await programsIn(tool, released, context), released.record?.source.version);
}

async function programsIn(
  tool: Tool,
  { nupkgPath }: Released,
  { workDir }: Context,
): Promise<readonly Program[]> {
  // of its own: several releases of a tool may look at the same offer at once
  const dir = await mkdtemp(join(workDir, 'look-'));
  const path = join(dir, exeName(tool));
  const nupkg = await openNupkg(nupkgPath);
  try {
    const name = `tools/${exeName(tool)}`;
    if (!nupkg.entries.some((entry) => entry.name === name)) return [];
    await pipeline(await nupkg.openEntry(name), createWriteStream(path));
    return await readPrograms([{ architecture: 'amd64', path }]);
  } finally {
    await nupkg.close();
    await rm(dir, { recursive: true, force: true });
  }
}

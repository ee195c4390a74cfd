import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail } from '../../errors.ts';
import { createBundled } from '../../sources/bundle/bundle.ts';
import { openBundle } from '../../sources/bundle/open-bundle.ts';
import type { World } from '../../toolkit.ts';
import { databaseIn } from '../../vulnerabilities/bundled.ts';
import type { Request } from './request.ts';

/**
 * Does the work in a world in which the bundle of `--from` stands in place of every source; without one, in the world as it
 * is. The bundle is verified as a whole before anything of it is used. `carried` are the names of the tools in it.
 * @throws ReleaseError BUNDLE_KEY_MISSING, BUNDLE_UNREADABLE, BUNDLE_REFUSED
 */
export async function withSources<T>(
  world: World,
  { cwd, from }: { readonly cwd: string; readonly from: string | undefined },
  work: (world: World, carried: readonly string[]) => Promise<T>,
): Promise<T> {
  if (from === undefined) return work(world, []);
  const { bundleKeys: keys } = world.config;
  if (keys.length === 0) fail('BUNDLE_KEY_MISSING', {});
  const dir = await mkdtemp(join(await world.cache.bundles(), 'taken-'));
  try {
    const bundle = await openBundle({
      file: resolve(cwd, from),
      keys,
      dir,
      signal: world.signal,
      onProgress: (done, total) => world.report.progress('bundle', 'verify', done, total),
    });
    world.report.step('bundle', 'passed', `signed by ${bundle.keyId}`);
    const upstreams = createBundled(bundle, world.env.GOSUMDB);
    const carried = [...new Set(bundle.releases.map(({ tool }) => tool))];
    const carriedDatabase = databaseIn(bundle);
    const place = { ...world, upstreams, upstreamsWith: () => upstreams, isBundled: true, carriedDatabase };
    return await work(place, carried);
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * A tool that is named is in the bundle; its sources upstream have no say here.
 * @throws ReleaseError BUNDLE_LACKS, before anything is done for the others
 */
export function requireCarried(requests: readonly Request[], carried: readonly string[]): void {
  const lacking = requests.find(({ tool }) => !carried.includes(tool.tool));
  if (lacking === undefined) return;
  fail('BUNDLE_LACKS', { tool: lacking.tool.tool, carried: carried.join(', ') });
}

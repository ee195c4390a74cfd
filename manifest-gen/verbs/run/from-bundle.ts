import { join, resolve } from 'node:path';
import { fail } from '../../../errors/release-error.ts';
import { withTempDir } from '../../../formats/scoped.ts';
import { createBundled } from '../../sources/bundle/bundle.ts';
import { databaseIn } from '../../sources/bundle/database.ts';
import { openBundle } from '../../sources/bundle/open-bundle.ts';
import type { Request } from './request.ts';
import type { VerbToolkit } from './toolkit.ts';

/**
 * Does the work with a toolkit in which the bundle of `--from` replaces every source; without one, with the toolkit unchanged.
 * The bundle is verified as a whole before anything of it is used. `bundled` are the names of the tools in it.
 * @throws ReleaseError BUNDLE_KEY_MISSING, BUNDLE_UNREADABLE, BUNDLE_REFUSED
 */
export async function withSources<T>(
  toolkit: VerbToolkit,
  { cwd, from }: { readonly cwd: string; readonly from: string | undefined },
  work: (toolkit: VerbToolkit, bundled: readonly string[]) => Promise<T>,
): Promise<T> {
  if (from === undefined) return work(toolkit, []);
  const { bundleKeys: keys } = toolkit.config;
  if (keys.length === 0) fail('BUNDLE_KEY_MISSING', {});
  return withTempDir(join(await toolkit.cache.bundles(), 'taken-'), async (dir) => {
    const bundle = await openBundle({
      file: resolve(cwd, from),
      keys,
      dir,
      signal: toolkit.signal,
      onProgress: (done, total) => toolkit.report.progress('bundle', 'verify', done, total),
    });
    toolkit.report.step('bundle', 'passed', `signed by ${bundle.keyId}`);
    const upstreams = createBundled(bundle, toolkit.env.GOSUMDB);
    const bundled = [...new Set(bundle.releases.map(({ tool }) => tool))];
    const bundledDatabase = databaseIn(bundle);
    const place = { ...toolkit, upstreams, upstreamsWith: () => upstreams, isBundled: true, bundledDatabase };
    return work(place, bundled);
  });
}

/**
 * A named tool must be in the bundle; its upstream sources are not used.
 * @throws ReleaseError BUNDLE_LACKS, before anything is done for the others
 */
export function requireBundled(requests: readonly Request[], bundled: readonly string[]): void {
  const lacking = requests.find(({ tool }) => !bundled.includes(tool.tool));
  if (lacking === undefined) return;
  fail('BUNDLE_LACKS', { tool: lacking.tool.tool, bundled: bundled.join(', ') });
}

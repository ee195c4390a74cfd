import {
  compareNuGetVersions,
  isPrerelease,
  type NuGetVersion,
  parseNuGetVersion,
} from '../formats/nuget-version.ts';
import { withContext } from '../manifest-gen/commands/context.ts';
import { requireKey } from '../manifest-gen/commands/require-key.ts';
import { fail } from '../manifest-gen/errors.ts';
import { publishManifest } from '../manifest-gen/publish/bucket-branch.ts';
import { listVersions, pushPackage, waitForPackage } from '../manifest-gen/publish/feed-client.ts';
import { putPayload } from '../manifest-gen/publish/payload-client.ts';
import { payloadAddress } from '../manifest-gen/render/payload-place.ts';
import type { World } from '../manifest-gen/world.ts';
import { launcherFile, packShims, renderShimsManifest, type ShimSet, shimsPackage } from './package.ts';

export type ShimsChannel = 'beta' | 'main';
type Offered = { readonly version: string; readonly isSame: boolean };

/**
 * Which version the set gets: on beta the next one when it differs from the newest there is, on main the stable version of a beta
 * that is this very set. `undefined`: the newest is this set already.
 * @throws ReleaseError USAGE when main is asked for something that beta does not offer
 */
export function nextShimsVersion(
  product: string,
  newest: Offered | undefined,
  channel: ShimsChannel,
): string | undefined {
  const [, stable = '', beta] = /^(.+?)(?:-beta\.(\d+))?$/.exec(newest?.version ?? '') ?? [];
  if (channel === 'main') {
    if (newest === undefined || !newest.isSame) {
      fail('USAGE', {
        problem: 'this set of shims is not on beta; publish it there first: shims --publish beta',
      });
    }
    return beta === undefined ? undefined : stable;
  }
  if (newest === undefined || compare(stable, product) < 0) return `${product}-beta.1`;
  if (newest.isSame) return undefined;
  return beta === undefined ? `${correctionOf(stable)}-beta.1` : `${stable}-beta.${Number(beta) + 1}`;
}

/** 1.2.3 -> 1.2.3.1, 1.2.3.1 -> 1.2.3.2 (contract section 6). */
function correctionOf(version: string): string {
  const [major, minor, patch, correction = '0'] = version.split('.');
  return [major, minor, patch, Number(correction) + 1].join('.');
}

/**
 * Publishes the default set to feed and bucket: the launcher first, then the package, the manifest last. A dry run finds out the
 * version and ends there.
 * @returns the version that is (or would be) there now, and whether it is new
 * @throws ReleaseError USAGE, FEED_*, BUCKET_*; FEED_KEY_* before anything is published
 */
export function publishShims(
  world: World,
  set: ShimSet,
  product: string,
  channel: ShimsChannel,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<{ readonly version: string; readonly isNew: boolean }> {
  return withContext(world, async (context) => {
    const { feed, places, bucket, workDir, published } = context;
    const tool = { tool: shimsPackage };
    if (!dryRun) await requireKey(context, [{ tool, scopes: [channel === 'beta' ? 'push:beta' : 'push'] }]);
    const there = await listVersions(feed, shimsPackage);
    const newest = there
      .flatMap(({ version, sha512 }) => {
        const order = parseNuGetVersion(version);
        return order === undefined ? [] : [{ version, sha512, order }];
      })
      .sort((a, b) => compareNuGetVersions(b.order, a.order))[0];
    // the same set gives the same bytes, so that the hash alone tells
    const offered = newest && {
      version: newest.version,
      isSame: (await packShims(set, newest.version, workDir)).digest.sha512 === newest.sha512,
    };
    const next = nextShimsVersion(product, offered, channel);
    const version = next ?? offered?.version ?? product;
    if (dryRun) return { version, isNew: next !== undefined };
    const { path, digest } = await packShims(set, version, workDir);
    const payload = { tool, version, file: launcherFile, ...set.launcher };
    const { addresses } = places;
    const { publicUrl } = addresses;
    const manifestText = renderShimsManifest(set, version, {
      url: payloadAddress(addresses, tool, version, launcherFile),
      anyVersion: payloadAddress(addresses, tool, '$version', launcherFile),
      home: publicUrl ?? new URL(feed.feedUrl).origin,
      checkver: publicUrl === undefined ? undefined : `${publicUrl}/m/${shimsPackage}.json`,
    });
    // all of it again after an interruption: what is there is not sent twice
    if (places.isPut) await putPayload(feed, places, payload, () => {});
    await pushPackage(feed, { id: shimsPackage, version, path, digest }, () => {});
    await waitForPackage(feed, shimsPackage, version, world.signal);
    published.push(`package ${shimsPackage} ${version}`);
    await publishManifest(bucket, {
      tool: shimsPackage,
      version,
      manifestText,
      branches: isPrerelease(parse(version)) ? ['beta'] : ['main', 'beta'],
    });
    return { version, isNew: next !== undefined };
  });
}

function compare(a: string, b: string): number {
  return compareNuGetVersions(parse(a), parse(b));
}

function parse(version: string): NuGetVersion {
  return parseNuGetVersion(version) ?? fail('USAGE', { problem: `${version} is not a version` });
}

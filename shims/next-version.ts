import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from '../formats/nuget-version.ts';
import { fail } from '../manifest-gen/errors.ts';

export type ShimsChannel = 'beta' | 'main';
/** `isSame`: it equals the set to be published. */
type Offered = { readonly version: string; readonly isSame: boolean; readonly isListed: boolean };

/**
 * The version that the set gets: on beta the next one if the set differs from the newest, on main the stable version of a beta
 * with exactly this set. `undefined`: the newest already is this set.
 * @throws ReleaseError USAGE when main is requested for something that beta does not offer, or for a set that was withdrawn
 */
export function nextShimsVersion(
  product: string,
  newest: Offered | undefined,
  channel: ShimsChannel,
): string | undefined {
  const [, stable = '', beta] = /^(.+?)(?:-beta\.(\d+))?$/.exec(newest?.version ?? '') ?? [];
  // The same bytes are not published again under another number.
  if (newest?.isSame && !newest.isListed) {
    fail('USAGE', {
      problem: `${newest.version} was withdrawn, and it is the same set; a set that differs becomes the next version`,
    });
  }
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

function compare(a: string, b: string): number {
  return compareNuGetVersions(parse(a), parse(b));
}

function parse(version: string): NuGetVersion {
  return parseNuGetVersion(version) ?? fail('USAGE', { problem: `${version} is not a version` });
}

import { fail } from '../errors/release-error.ts';
import { compareNuGetVersions, type NuGetVersion, parseNuGetVersion } from '../formats/nuget-version.ts';

export type OwnChannel = 'beta' | 'main';
/** `isSame`: it has the bytes that are to be published. */
type Offered = { readonly version: string; readonly isSame: boolean; readonly isListed: boolean };

/** How messages name a package: `this set of shims`, and the verb that publishes it. */
export type OwnName = { readonly what: string; readonly verb: string };

/**
 * The version that a package of this product gets: on beta the next one if its bytes differ from the newest, on main the stable
 * version of a beta with exactly these bytes. `undefined`: the newest already has them.
 * @throws ReleaseError USAGE when main is requested for something that beta does not offer, or for bytes that were withdrawn
 */
export function nextOwnVersion(
  product: string,
  newest: Offered | undefined,
  channel: OwnChannel,
  { what, verb }: OwnName,
): string | undefined {
  const [, stable = '', beta] = /^(.+?)(?:-beta\.(\d+))?$/.exec(newest?.version ?? '') ?? [];
  // The same bytes are not published again under another number.
  if (newest?.isSame && !newest.isListed) {
    fail('USAGE', {
      problem: `${newest.version} was withdrawn, and it has the same bytes as ${what}; what differs becomes the next version`,
    });
  }
  if (channel === 'main') {
    if (newest === undefined || !newest.isSame) {
      fail('USAGE', {
        problem: `${what} is not on beta; publish it there first: ${verb} --publish beta`,
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

import { compare, parse, type SemVer } from 'semver';

/**
 * A version as Go modules and the database write them: `v1.2.3`, `1.2.3-0.20240102030405-0123456789ab`, `v2.0.0+incompatible`
 * (what follows the + counts for nothing), `1.26.0-0`, and shortened `1.18`.
 * @returns undefined for `(devel)`, an empty text and anything else
 */
export function parseGoVersion(text: string): SemVer | undefined {
  const bare = text.replace(/^v/, '');
  const whole = /^\d+(\.\d+)?$/.test(bare) ? `${bare}${bare.includes('.') ? '.0' : '.0.0'}` : bare;
  return parse(whole) ?? undefined;
}

/**
 * Negative when `left` comes first.
 * @throws TypeError for an invalid version; use `parseGoVersion` first
 */
export function compareGoVersions(left: string, right: string): number {
  const [a, b] = [parseGoVersion(left), parseGoVersion(right)];
  if (a === undefined || b === undefined) throw new TypeError(`${left} or ${right} is not a version`);
  return compare(a, b);
}

/**
 * What a toolchain calls itself, as the version of the module `stdlib`: `go1.22.2` -> `v1.22.2`, `go1.21` -> `v1.21.0`,
 * `go1.21rc2 X:loopvar` -> `v1.21.0-rc.2`. Undefined for a development version, whose content is unknown.
 */
export function stdlibVersion(goVersion: string): string | undefined {
  const [, minor, patch, , word, number] =
    /^go(1\.\d+)(\.\d+)?((beta|rc|-pre)(\d+))?(?=$| |-)/.exec(goVersion) ?? [];
  if (minor === undefined) return undefined;
  const prerelease = word === undefined ? '' : `-${word.replace('-', '')}.${number}`;
  return `v${minor}${patch ?? '.0'}${prerelease}`;
}

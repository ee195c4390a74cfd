import { readReleaseVersion } from './release-version.ts';

/**
 * The version that a file was released as before, when that was another one: an old program under a new number, which build info
 * without a version (buf) cannot reveal. A correction may have the bytes of an older version, so bytes that were also released as
 * the same version are fine.
 * @param sha256s of the file itself and of what it came in
 * @param released what each release of the tool promised
 * @param upstream the version that the file is said to be now
 */
export function releasedAs(
  sha256s: readonly string[],
  upstream: string,
  released: readonly { readonly version: string; readonly hashes: readonly string[] }[],
): string | undefined {
  for (const sha256 of sha256s) {
    const before = released.filter(({ hashes }) => hashes.includes(sha256)).map(({ version }) => version);
    const isKnown = before.some((version) => readReleaseVersion(version)?.upstream === upstream);
    if (!isKnown && before.length > 0) return before.at(-1);
  }
  return undefined;
}

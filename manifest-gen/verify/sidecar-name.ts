import type { Found } from '../release.ts';
import { type SourceOf, sourceOf } from '../tool-file/tools.ts';

/** A file beside the assets that vouches for them. */
type Sidecar = 'checksums' | 'minisig' | 'bundle' | 'signature' | 'certificate';

/** Its name, as the tool's file gives it for the source that was used; undefined for one that has none. */
export function sidecarName({ tool, kind, version }: Found, which: Sidecar): string | undefined {
  const source = kind === 'github' ? sourceOf(tool, kind) : undefined;
  return source === undefined ? undefined : sidecarNames(source, version)[which];
}

export function sidecarNames(
  { checksums, minisig, sigstore }: Pick<SourceOf<'github'>, 'checksums' | 'minisig' | 'sigstore'>,
  version: string,
): Readonly<Partial<Record<Sidecar, string>>> {
  const named = { checksums, minisig, bundle: sigstore?.bundle, ...sigstore?.detached };
  return Object.fromEntries(
    Object.entries(named).flatMap(([which, name]) =>
      name === undefined ? [] : [[which, name.replaceAll('{version}', version)]],
    ),
  );
}

/** What a forge or registry says of a file beside the file itself: a JSON array of Sigstore bundles. */
export function attestationsName(asset: string): string {
  return `${asset}.attestations.json`;
}

/** What an npm registry signs of a tarball, with the keys that it names. */
export function registrySignaturesName(asset: string): string {
  return `${asset}.signatures.json`;
}

/** What the Go checksum database says of the modules in an exe that was built here, with its proof. */
export const modulesProofName = 'modules.sumdb.json';

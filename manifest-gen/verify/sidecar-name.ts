import * as z from 'zod';
import type { Found } from '../release.ts';
import { forgeOf } from '../tool-file/source-facts.ts';
import type { SourceOf } from '../tool-file/sources.ts';

/** A file beside the assets that vouches for them. */
type Sidecar = 'checksums' | 'minisig' | 'bundle' | 'signature' | 'certificate';

/** Its name, as the tool's file gives it for the source that was used; undefined for one that has none. */
export function sidecarName({ tool, kind, version }: Found, which: Sidecar): string | undefined {
  const source = forgeOf(tool, kind);
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

/** A forge's or registry's attestations of a file: a JSON array of Sigstore bundles. */
export function attestationsName(asset: string): string {
  return `${asset}.attestations.json`;
}

/** An npm registry's signatures of a tarball, with its keys. */
export function registrySignaturesName(asset: string): string {
  return `${asset}.signatures.json`;
}

/** The Go checksum database's entries for the modules of an exe that was built here, with their proof. */
export const modulesProofName = 'modules.sumdb.json';

export const NpmSignatures = z.array(z.object({ keyid: z.string(), sig: z.string() }));

/** `GET /-/npm/v1/keys` of a registry. */
export const NpmKeys = z.object({
  keys: z.array(z.object({ keyid: z.string(), key: z.string(), expires: z.string().nullish() })),
});

/** The sidecar that holds what a registry signs of a tarball. */
export const RegistrySignatures = NpmKeys.extend({
  spec: z.string(),
  published: z.string().optional(),
  signatures: NpmSignatures,
});
export type RegistrySignatures = z.infer<typeof RegistrySignatures>;

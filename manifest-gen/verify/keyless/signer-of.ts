import type { Found } from '../../release.ts';
import { sourceOf } from '../../tool-file/tools.ts';
import type { Signer } from '../../tool-file/trust.ts';

/** Who must have signed this release, with version and tag filled in; undefined when the tool names nobody. */
export function signerOf(found: Found): Signer | undefined {
  const signer = found.tool.trust.sigstore;
  if (signer === undefined) return undefined;
  const identity = signer.identity.replaceAll('{version}', found.version).replaceAll('{tag}', tagOf(found));
  return { ...signer, identity };
}

/** Upstream's tag of the release, also where the files came from npm. */
export function tagOf({ tool, version }: Found): string {
  return (sourceOf(tool, 'github')?.tag ?? 'v{version}').replace('{version}', version);
}

/** For a refusal: what was expected. */
export function describeSigner({ identity, issuer }: Signer): string {
  return `a signature by ${identity} (${issuer})`;
}

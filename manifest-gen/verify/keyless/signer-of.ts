import type { Found } from '../../release.ts';
import { sourceOf } from '../../tools.ts';
import type { Signer } from '../../trust.ts';

/** Who must have signed this release, with version and tag filled in; undefined when the tool names nobody. */
export function signerOf({ tool, version }: Found): Signer | undefined {
  const signer = tool.trust.sigstore;
  if (signer === undefined) return undefined;
  const tag = (sourceOf(tool, 'github')?.tag ?? 'v{version}').replace('{version}', version);
  return { ...signer, identity: signer.identity.replaceAll('{version}', version).replaceAll('{tag}', tag) };
}

/** For a refusal: what was expected. */
export function describeSigner({ identity, issuer }: Signer): string {
  return `a signature by ${identity} (${issuer})`;
}

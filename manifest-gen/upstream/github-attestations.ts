import type { Asset, Sidecar } from '../release.ts';
import { attestationsName } from '../sidecar-name.ts';
import type { Asking } from './asking.ts';
import type { GithubApi } from './github-api.ts';
import { GithubAttestations } from './schema.ts';

/**
 * The build attestations that GitHub keeps of each file, as one sidecar a file: a JSON array of Sigstore bundles. A file that
 * it has none of gets no sidecar. All kinds come in one list, GitHub's own release attestation among them.
 */
export async function fetchAttestations(
  api: GithubApi,
  repository: string,
  assets: readonly Asset[],
  about: Asking,
): Promise<readonly Sidecar[]> {
  const sidecars: Sidecar[] = [];
  for (const { name, digest } of assets) {
    const path = `/repos/${repository}/attestations/sha256:${digest.sha256}?per_page=100`;
    const answer = await api.get(path, GithubAttestations, about);
    const bundles = answer?.attestations.map(({ bundle }) => bundle ?? null) ?? [];
    if (bundles.length > 0) sidecars.push({ name: attestationsName(name), text: JSON.stringify(bundles) });
  }
  return sidecars;
}

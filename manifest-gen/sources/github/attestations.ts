import pMap from 'p-map';
import type { Asset, Sidecar } from '../../release.ts';
import { attestationsName } from '../../verify/sidecar-name.ts';
import type { Asking } from '../asking.ts';
import { GithubAttestations } from '../schema.ts';
import type { GithubApi } from './api.ts';
import { fetchStoredBundle, type StoreSettings } from './stored-bundle.ts';

/** At 100 a page: 1,000 attestations of one file. */
const maxPages = 10;

/**
 * The build attestations that GitHub keeps of each file, as one sidecar a file: a JSON array of Sigstore bundles. A file without
 * any gets no sidecar. All kinds come in one list, GitHub's own release attestation among them.
 */
export async function fetchAttestations(
  settings: StoreSettings,
  api: GithubApi,
  repository: string,
  assets: readonly Asset[],
  about: Asking,
): Promise<readonly Sidecar[]> {
  const sidecars: Sidecar[] = [];
  for (const { name, digest } of assets) {
    const path = `/repos/${repository}/attestations/sha256:${digest.sha256}?per_page=100`;
    const pages = await api.pages(path, GithubAttestations, about, { maxPages, isKept: false });
    const listed = (pages ?? []).flatMap(({ attestations }) => attestations);
    const bundles = await pMap(
      listed,
      async ({ bundle, bundle_url: url }) =>
        bundle ?? (url == null ? null : fetchStoredBundle(settings, url, name, about)),
      { concurrency: 4 },
    );
    if (bundles.length > 0) sidecars.push({ name: attestationsName(name), text: JSON.stringify(bundles) });
  }
  return sidecars;
}

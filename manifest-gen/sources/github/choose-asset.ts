import type { Architecture } from '../../../formats/release-record.ts';
import type { SourceOf } from '../../tool-file/sources.ts';
import { sidecarNames } from '../../verify/sidecar-name.ts';
import type { GithubAsset } from '../schema.ts';

export type Chosen = {
  readonly assets: readonly { readonly architecture: Architecture; readonly asset: GithubAsset }[];
  /** Checksum file and signatures, as far as the release has them; the verdicts decide whether that is enough. */
  readonly sidecars: readonly GithubAsset[];
};

/**
 * One asset for each architecture, by its whole name. A release without the one for amd64 lacks the tool; one without
 * arm64 is a release for amd64 (delve's come and go between patch versions, spec upstream 1.1).
 */
export function chooseAssets(
  assets: readonly GithubAsset[],
  source: Pick<SourceOf<'github'>, 'assets' | 'checksums' | 'minisig' | 'sigstore'>,
  version: string,
): Chosen | { readonly lacks: string } {
  // `open` is an upload that has not ended
  const uploaded = assets.filter((asset) => asset.state === 'uploaded');
  const named = (name: string | undefined): GithubAsset | undefined =>
    name === undefined
      ? undefined
      : uploaded.find((asset) => asset.name === name.replaceAll('{version}', version));

  const amd64 = named(source.assets.amd64);
  if (amd64 === undefined) {
    return { lacks: `has no ${source.assets.amd64.replaceAll('{version}', version)}${candidates(uploaded)}` };
  }
  const arm64 = named(source.assets.arm64);
  return {
    assets: [
      { architecture: 'amd64', asset: amd64 },
      ...(arm64 === undefined ? [] : [{ architecture: 'arm64' as const, asset: arm64 }]),
    ],
    sidecars: Object.values(sidecarNames(source, version))
      .map(named)
      .filter((asset) => asset !== undefined),
  };
}

/** What a reader needs to correct the tool file. */
function candidates(assets: readonly GithubAsset[]): string {
  const names = assets.map(({ name }) => name).filter((name) => /windows|\.exe$/i.test(name));
  if (names.length === 0) return assets.length === 0 ? '; it has no assets' : '; it has none for Windows';
  return `; it has ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;
}

import { readFile } from 'node:fs/promises';
import { rcompare } from 'semver';
import { fail } from '../../../errors/release-error.ts';
import type { LocalFile } from '../../../formats/digest.ts';
import { refused } from '../../../outbound/asking.ts';
import type { Cache } from '../../../system/cache/cache.ts';
import type { Asset, Found, Sidecar } from '../../release.ts';
import type { SourceOf } from '../../tool-file/sources.ts';
import { isPlainVersion } from '../../tool-file/version-rules.ts';
import { asking, dateOf, fingerprintOf, requireSource } from '../asking.ts';
import { download } from '../http/download.ts';
import { type GithubAsset, GithubRelease, GithubReleases } from '../schema.ts';
import type { Upstream } from '../upstream.ts';
import { createGithubApi, type GithubApi, type GithubApiSettings } from './api.ts';
import { fetchAttestations } from './attestations.ts';
import { type Chosen, chooseAssets } from './choose-asset.ts';
import { createKeptAnswers } from './kept-answers.ts';
import { githubAssetUrl, githubTag, githubUpstream } from './names.ts';

export type GithubSettings = GithubApiSettings & { readonly cache: Cache };
type Source = SourceOf<'github'>;

/** What find() passes to fetch(). */
type Details = Chosen & { readonly isImmutable: boolean; readonly notes: string | undefined };

const kind = 'github';
const maxAssetBytes = 1024 ** 3;
const maxSidecarBytes = 1024 ** 2;

/** Releases of a GitHub repository, also on GitHub Enterprise (spec upstream 2). */
export function createGithub(settings: GithubSettings): Upstream {
  const api = createGithubApi(settings, createKeptAnswers(settings.cache, settings.token));
  return {
    kind,

    async versions(tool) {
      const source = requireSource(tool, kind);
      // not 100: a page with all assets of goreleaser is large, and GitHub gives up after 10 s
      const path = `/repos/${source.repository}/releases?per_page=50`;
      const releases = (await api.pages(path, GithubReleases, asking(tool, kind))) ?? [];
      return releases
        .flat()
        .filter((release) => !release.draft && !release.prerelease)
        .flatMap((release) => {
          const version = versionOf(release.tag_name, source);
          return version === undefined ? [] : [{ version, published: dateOf(release.published_at) }];
        })
        .sort((a, b) => rcompare(a.version, b.version));
    },

    async find(tool, version) {
      const source = requireSource(tool, kind);
      const tag = githubTag(source, version);
      const about = asking(tool, kind, version);
      const path = `/repos/${source.repository}/releases/tags/${encodeURIComponent(tag)}`;
      const release = await api.get(path, GithubRelease, about);
      if (release === undefined || release.draft) {
        return { kind, lacks: `github.com/${source.repository} has no release ${tag}` };
      }
      if (release.tag_name !== tag) return refused(about, path, `the release ${tag}`, release.tag_name);
      if (release.prerelease) {
        const reason = `github.com/${source.repository} marks ${tag} as a prerelease`;
        return fail('VERSION_NOT_TAKEN', { tool: tool.tool, version, reason });
      }
      const chosen = chooseAssets(release.assets, source, version);
      if ('lacks' in chosen) return { kind, lacks: `release ${tag} ${chosen.lacks}` };
      const files = [...chosen.assets.map(({ asset }) => asset), ...chosen.sidecars];
      const { immutable = false, body } = release;
      return {
        tool,
        version,
        kind,
        upstream: githubUpstream(source, version),
        fingerprint: fingerprintOf(kind, files.map(said)),
        published: dateOf(release.published_at),
        offers: chosen.assets.map(({ architecture, asset }) => ({
          architecture,
          name: asset.name,
          sha256: statedSha256(asset),
        })),
        details: { isImmutable: immutable, notes: body || undefined, ...chosen } satisfies Details,
      } satisfies Found;
    },

    async fetch(found, report) {
      const source = requireSource(found.tool, kind);
      const { isImmutable, notes, ...details } = found.details as Details;
      const about = asking(found.tool, kind, found.version);
      const get = async (asset: GithubAsset, maxBytes: number): Promise<LocalFile> => {
        const { apiUrl, cache } = settings;
        const { id, name, size, updated_at } = asset;
        const sha256 = statedSha256(asset);
        const place = placeOf(asset, api);
        if (new URL(place.url).protocol !== 'https:' && apiUrl.startsWith('https:')) {
          return refused(about, name, 'an https address', place.url);
        }
        // without a digest: an upload that replaces this one has another id, so the old bytes are never taken for it
        const identity = sha256 === undefined ? { key: `${apiUrl} ${id} ${updated_at} ${size}` } : { sha256 };
        const file = { ...place, folder: await cache.download(identity), name, sha256, maxBytes };
        const onProgress = (done: number, total: number | undefined): void =>
          report.progress(about.tool, name, done, total);
        return download(settings, { ...file, expectedBytes: size, onProgress }, about);
      };
      const assets: Asset[] = [];
      for (const { architecture, asset } of details.assets) {
        const { path, digest } = await get(asset, maxAssetBytes);
        const sha256 = statedSha256(asset);
        assets.push({
          architecture,
          name: asset.name,
          path,
          digest,
          expectedBytes: asset.size,
          ...(sha256 === undefined ? {} : { stated: { algorithm: 'sha256', hex: sha256, isImmutable } }),
          // the public address, not the one that was used: the record names upstreams (contract section 5)
          url: githubAssetUrl(source, found.version, asset.name),
        });
      }
      const sidecars: Sidecar[] = [];
      for (const asset of details.sidecars) {
        const { path } = await get(asset, maxSidecarBytes);
        sidecars.push({ name: asset.name, text: await readFile(path, 'utf8') });
      }
      if (source.attestations) {
        sidecars.push(...(await fetchAttestations(settings, api, source.repository, assets, about)));
      }
      return { found, assets, sidecars, notesText: notes };
    },
  };
}

/** With a token the asset comes from the API, which also has those of private repositories; it redirects to the store. */
function placeOf(asset: GithubAsset, api: GithubApi): { url: string; headers: Record<string, string> } {
  const credentials = api.credentialsFor(asset.url);
  if (credentials.authorization === undefined) return { url: asset.browser_download_url, headers: {} };
  return {
    url: asset.url,
    headers: { ...credentials, accept: 'application/octet-stream' } as Record<string, string>,
  };
}

/** `nightly`, `v0.1.0.beta`, `v1.0.0-rc1`, `v2024.01.02` are none (spec upstream 3). */
function versionOf(tag: string, source: Source): string | undefined {
  const [before = '', after = ''] = source.tag.split('{version}');
  if (!tag.startsWith(before) || !tag.endsWith(after)) return undefined;
  const version = tag.slice(before.length, tag.length - after.length);
  return isPlainVersion(version) ? version : undefined;
}

function statedSha256({ digest }: GithubAsset): string | undefined {
  return /^sha256:([0-9a-f]{64})$/.exec(digest ?? '')?.[1];
}

function said({ name, size, digest }: GithubAsset): readonly unknown[] {
  return [name, size, digest ?? ''];
}

import * as z from 'zod';
import { AnyBundle } from '../verify/keyless/read-bundle.ts';
import { NpmSignatures } from '../verify/sidecar-name.ts';

/** Only the fields we use of other people's JSON. */

/** GitHub REST, schema of @octokit/openapi (spec upstream 2). `digest` is null for assets from before 2025-06 and absent on old GHES. */
export const GithubAsset = z.object({
  id: z.number(),
  name: z.string(),
  url: z.url(),
  browser_download_url: z.url(),
  /** `open`: the upload is not finished. */
  state: z.string(),
  size: z.int().nonnegative(),
  digest: z.string().nullish(),
  updated_at: z.string(),
});
export type GithubAsset = z.infer<typeof GithubAsset>;

export const GithubRelease = z.object({
  tag_name: z.string(),
  draft: z.boolean(),
  prerelease: z.boolean(),
  /** Since 2025-10: neither the files nor the tag can be changed any more. */
  immutable: z.boolean().optional(),
  published_at: z.iso.datetime({ offset: true }).nullable(),
  body: z.string().nullish(),
  assets: z.array(GithubAsset),
});
export type GithubRelease = z.infer<typeof GithubRelease>;
export const GithubReleases = z.array(GithubRelease);

/**
 * `GET /repos/O/R/attestations/sha256:HEX`; the bundles are read where they are judged. GitHub Enterprise puts them into the
 * answer, github.com since 2026-07 only says where they are, for every version of the API.
 */
export const GithubAttestations = z.object({
  attestations: z.array(z.object({ bundle: AnyBundle, bundle_url: z.url().nullish() })),
});

export const GithubFault = z.object({ message: z.string() });

const NpmTimes = z.record(z.string(), z.string());
const NpmVersionList = z.union([z.string(), z.array(z.string())]);
/**
 * `npm view NAME versions time --json`; one version alone comes as a string. `time` may be missing behind a mirror, and npm
 * prints what is left without its name.
 */
export const NpmVersions = z.union([
  z.object({ versions: NpmVersionList, time: NpmTimes }),
  NpmVersionList.transform((versions) => ({ versions, time: undefined })),
]);
export const NpmDist = z.object({
  integrity: z.string(),
  signatures: NpmSignatures.optional(),
  attestations: z.object({ url: z.string() }).optional(),
});
export type NpmDist = z.infer<typeof NpmDist>;
/** `npm view NAME@VERSION dist time --json`, `time` of all versions; without it as above. */
export const NpmRelease = z.union([
  z.object({ dist: NpmDist, time: NpmTimes }),
  NpmDist.transform((dist) => ({ dist, time: undefined })),
]);
/** `GET /-/npm/v1/attestations/NAME@VERSION`; the bundles are read where they are judged. */
export const NpmAttestations = z.object({
  attestations: z.array(z.object({ bundle: AnyBundle })).max(100),
});
/** What npm prints on stdout with --json when it fails. */
export const NpmFault = z.object({
  error: z.object({ code: z.string().nullish(), summary: z.string().nullish() }),
});

/** The .info file of a module version. */
export const GoInfo = z.object({ Version: z.string(), Time: z.iso.datetime({ offset: true }).optional() });

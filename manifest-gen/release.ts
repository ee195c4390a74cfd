import * as z from 'zod';
import type { LocalFile } from '../formats/digest.ts';
import { Architecture, type EvidenceKind, type ReleaseRecord } from '../formats/release-record.ts';
import type { UpstreamKind } from './tool-file/sources.ts';
import type { Tool } from './tool-file/tools.ts';

/**
 * The values that a release passes through, in the order of the recipe in build/recipe.ts:
 * Found -> Fetched -> Unpacked -> Verdict[] -> Rendered, then Artifacts (build/artifacts.ts).
 */

/** A version that a source lists; undefined: it does not say when it was published. */
export type UpstreamVersion = { readonly version: string; readonly published: Date | undefined };

/** A source has this version. Nothing is downloaded yet. */
export type Found = {
  readonly tool: Tool;
  /** Upstream's version, three parts, no leading v. */
  readonly version: string;
  readonly kind: UpstreamKind;
  /**
   * The bundle that brought it here from that source, by the id of the key that signed it; who vouches for Go modules here
   * (GOSUMDB).
   */
  readonly bundledBy?: { readonly keyId: string; readonly gosumdb: string | undefined };
  /** Names the upstream for the record, never an address that was used: `github.com/go-delve/delve@v1.22.0`, `npm:@bufbuild/buf-win32-x64@1.31.0`, `github.com/bufbuild/buf@v1.32.0`. */
  readonly upstream: string;
  /**
   * SHA-256 (hex) over all that upstream says of the files (names, sizes, digests, module sum, toolchain, tags). Equal
   * fingerprints mean equal files; different ones may do so, too, since a mirror says less than its forge.
   */
  readonly fingerprint: string;
  readonly published: Date | undefined;
  /** What to fetch, a file for each architecture; 64bit always exists. */
  readonly offers: readonly Offer[];
  /** Private to the source that made it. */
  readonly details: unknown;
};

/** What a source states about a file before the download; undefined if it does not. */
export type Offer = Pick<Asset, 'architecture' | 'goModule'> & {
  /** Upstream's own file name; undefined for what is built here. */
  readonly name?: string;
  readonly sha256?: string | undefined;
};

/** How a released version was built: a later run builds it so again, since a newer Go makes other bytes of the same. */
export type BuiltBefore = {
  readonly toolchain: string;
  /** Whatever the tool's file says now: the published release is checked, nothing is made for others. */
  readonly isOnlyRepeated: boolean;
};

/** A source was reached and does not have this version (or no asset for amd64); the next source is asked. */
export type Lacking = { readonly kind: UpstreamKind; readonly lacks: string };

const GoModule = z.strictObject({
  /** The main package: what `go install PATH@VERSION` takes, so that the record alone is enough to rebuild. */
  path: z.string(),
  /** The module that contains it, whose sum the checksum database has. */
  module: z.string(),
  version: z.string(),
  toolchain: z.string(),
  tags: z.string(),
  ldflags: z.string(),
  /** The module's h1: sum as the checksum database has it. */
  sum: z.string(),
  /** False when the checksum database is switched off on this machine: `sumdb` is then `absent`. */
  isSumChecked: z.boolean(),
});
export type GoModule = Readonly<z.infer<typeof GoModule>>;

/** What is known of a file that upstream offers: a zip, an exe, a tarball, or an exe that was built here. */
export const AssetFacts = z.strictObject({
  architecture: Architecture,
  name: z.string(),
  expectedBytes: z.int().nonnegative().exactOptional(),
  /** What the source itself says of the file: GitHub's `digest`, npm's integrity. */
  stated: z
    .strictObject({
      algorithm: z.enum(['sha256', 'sha512']),
      hex: z.string().regex(/^([0-9a-f]{64}|[0-9a-f]{128})$/),
      /** The source lets nobody change the file any more, upstream included. */
      isImmutable: z.boolean().exactOptional(),
    })
    .exactOptional(),
  /** Upstream's public address, for the record. */
  url: z.string().exactOptional(),
  goModule: GoModule.exactOptional(),
});
export type Asset = LocalFile & Readonly<z.infer<typeof AssetFacts>>;

/** Checksum files and signatures that came along: `checksums.txt`, `sha256.txt`, `sha256.txt.minisig`. */
export type Sidecar = { readonly name: string; readonly text: string };

export type Fetched = {
  readonly found: Found;
  readonly assets: readonly Asset[];
  readonly sidecars: readonly Sidecar[];
  /** The module's, for a tool that has none beside its file. */
  readonly licenseText?: string | undefined;
  /** Of the modules that the exes are made of, where the source has them at hand. */
  readonly licenses?: ModuleLicenses | undefined;
  /** Upstream's release notes, if the source has them. They may be edited at any time, so nothing depends on them. */
  readonly notesText?: string | undefined;
};

/** Licences of Go modules (SPDX), by `path@version`. */
export type ModuleLicenses = Readonly<Record<string, string>>;

/** The bare exe of one architecture on disk. For a raw exe it is the asset itself. */
export type UnpackedExe = LocalFile & { readonly asset: Asset; readonly architecture: Architecture };
export type Unpacked = {
  readonly fetched: Fetched;
  readonly exes: readonly UnpackedExe[];
  readonly licenseText?: string | undefined;
};

/** The outcome of one check; recorded, so it is a value and not an exception. */
export type Verdict = {
  readonly kind: EvidenceKind;
  readonly verdict: 'passed' | 'failed' | 'absent';
  readonly subject: string;
  /** For a refusal's sentence: how upstream calls it, where `subject` is our name for it. */
  readonly file?: string;
  /** What was compared, in one sentence that is the same on every machine and day. */
  readonly detail: string;
  readonly keyId?: string;
  /** For a refusal's sentence; given when the verdict is `failed`. */
  readonly expected?: string;
  readonly found?: string;
};

/** Everything a package is made of, as text and paths; `packageVersion` is `1.22.0-beta.1` or `1.22.0`. */
export type Rendered = {
  readonly tool: Tool;
  readonly packageVersion: string;
  readonly record: ReleaseRecord;
  readonly recordText: string;
  readonly nuspecText: string;
  readonly verificationText: string;
  readonly licenseText: string;
  readonly manifestText: string;
  readonly exes: readonly UnpackedExe[];
  readonly licenses?: ModuleLicenses | undefined;
  /** The SBOM that was made with the first version of these exes; made again if there is none. */
  readonly sbomText?: string;
};

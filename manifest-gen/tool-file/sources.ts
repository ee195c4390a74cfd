import * as z from 'zod';
import { Architecture } from '../../formats/release-record.ts';
import { Versions } from './version-rules.ts';

const FileName = z.string().regex(/^[^\\/\s]+$/, 'is not a file name');
/** A place inside an archive, with `{version}` and `{architecture}` (amd64, arm64) filled in. */
const MemberPath = z
  .string()
  .regex(/^(?![/\\])(?!.*(^|\/)\.\.(\/|$))[^\\]+$/, 'is not a path inside an archive');
export const PackagePath = z.string().regex(/^[\w.~-]+(\/[\w.~-]+)*$/, 'is not an import path');

const GithubSource = z.strictObject({
  kind: z.literal('github'),
  /** `go-delve/delve` */
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'is not OWNER/NAME'),
  tag: z
    .string()
    .refine((text) => text.split('{version}').length === 2, 'does not name {version} once')
    .default('v{version}'),
  /** Whole names, `{version}` filled in: a prefix would also match `X.zip.sbom` (spec upstream 3). */
  assets: z.strictObject({ amd64: FileName, arm64: FileName.optional() }),
  /** Path of the exe, when the asset is an archive. */
  member: MemberPath.optional(),
  /** `checksums.txt` */
  checksums: FileName.optional(),
  /** `sha256.txt.minisig`: a minisign signature of the checksum file. */
  minisig: FileName.optional(),
  /**
   * Keyless signatures of the checksum file, as cosign writes them: a bundle, or a signature and its certificate. Upstreams
   * switch from one to the other, so the file may name all of them; each that exists is checked.
   */
  sigstore: z
    .strictObject({
      /** `checksums.txt.sigstore.json` */
      bundle: FileName.optional(),
      detached: z.strictObject({ signature: FileName, certificate: FileName }).optional(),
    })
    .optional(),
  /** Whether upstream's workflow attests its builds, so that the forge is asked for the attestations of each file. */
  attestations: z.boolean().optional(),
});

const NpmName = z
  .string()
  .regex(/^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/, 'is not the name of an npm package');
const NpmSource = z.strictObject({
  kind: z.literal('npm'),
  packages: z.strictObject({ amd64: NpmName, arm64: NpmName.optional() }),
  /** Path of the exe in the tarball: `package/bin/buf.exe`. */
  member: MemberPath,
});

const GoModuleSource = z.strictObject({
  kind: z.literal('go-module'),
  /** Module and main package by upstream version, first match: goreleaser v1 and v2 differ. */
  modules: z
    .array(z.strictObject({ versions: Versions.optional(), module: PackagePath, main: PackagePath }))
    .min(1),
  /** Which Go builds which versions; without a match: the last patch of the minor in the module's go.mod. */
  toolchains: z
    .array(
      z.strictObject({ versions: Versions, go: z.string().regex(/^1\.\d+(\.\d+)?$/, 'is not like 1.21.13') }),
    )
    .default([]),
  /** Build tags by version and architecture, first match. */
  tags: z
    .array(
      z.strictObject({
        versions: Versions,
        architecture: Architecture,
        tags: z.string().regex(/^[\w.]+(,[\w.]+)*$/, 'is not a list of build tags'),
      }),
    )
    .default([]),
});

/** Where releases of a tool come from, as its file says it. */
export const Source = z.discriminatedUnion('kind', [GithubSource, NpmSource, GoModuleSource]);
export type Source = z.infer<typeof Source>;
export type UpstreamKind = Source['kind'];
export type SourceOf<Kind extends UpstreamKind> = Extract<Source, { kind: Kind }>;

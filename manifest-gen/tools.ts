import { z } from 'zod';

/** A tool's file, manifest-gen/tools/NAME.yaml. PLACEHOLDER SHAPE for the owners of sources and recipe; completed by the sources' owner. */
export const Tool = z.strictObject({
  /** Name of the tool, the package id and the Scoop app: `delve`. */
  tool: z.string(),
  /** When the package id differs. */
  packageId: z.string().optional(),
  /** The command people type, without .exe: `dlv`. */
  command: z.string(),
  /** What `start` releases on an empty feed. */
  first: z.string(),
  /** semver range of the upstream versions that may be taken; default all. */
  versions: z.string().optional(),
  /** `3d`, `12h`: younger releases are not taken without being named. */
  minAge: z.string().optional(),
  /** In the order they are asked. */
  sources: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('github'),
        /** `go-delve/delve` */
        repository: z.string(),
        /** `v{version}` */
        tag: z.string().default('v{version}'),
        /** Exact names, `{version}` filled in. */
        assets: z.strictObject({ amd64: z.string(), arm64: z.string().optional() }),
        /** Path of the exe in the archive, when the asset is one. */
        member: z.string().optional(),
        /** `checksums.txt` */
        checksums: z.string().optional(),
        /** `sha256.txt.minisig`: a minisign signature of the checksum file. */
        minisig: z.string().optional(),
      }),
      z.strictObject({
        kind: z.literal('npm'),
        packages: z.strictObject({ amd64: z.string(), arm64: z.string().optional() }),
        /** Path of the exe in the tarball: `package/bin/buf.exe`. */
        member: z.string(),
      }),
      z.strictObject({
        kind: z.literal('go-module'),
        /** Module paths by upstream version range, first match: goreleaser v1 and v2 differ. */
        modules: z.array(
          z.strictObject({ versions: z.string().optional(), module: z.string(), main: z.string() }),
        ),
        /** Which Go builds which versions; without a match: the last patch of the minor in the module's go.mod. */
        toolchains: z.array(z.strictObject({ versions: z.string(), go: z.string() })).default([]),
        tags: z
          .array(
            z.strictObject({
              versions: z.string(),
              architecture: z.enum(['amd64', 'arm64']),
              tags: z.string(),
            }),
          )
          .default([]),
      }),
    ]),
  ),
  /** What the exe's Go build info must name as its module, by version range. */
  module: z.array(z.strictObject({ versions: z.string().optional(), path: z.string() })),
  trust: z.strictObject({
    require: z.array(z.string()),
    minisign: z.strictObject({ keys: z.array(z.string()) }).optional(),
    sigstore: z
      .strictObject({ identity: z.string(), issuer: z.string(), trustedRoot: z.string().optional() })
      .optional(),
  }),
});
export type Tool = z.infer<typeof Tool>;

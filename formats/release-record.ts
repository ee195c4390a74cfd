import * as z from 'zod';

/** release.json: what a release was made from and what was checked (contract section 5). Lies in the nupkg as tools/release.json. */

export const sourceKinds = ['github', 'npm', 'go-module', 'bundle'] as const;
export const SourceKind = z.enum(sourceKinds);
export type SourceKind = z.infer<typeof SourceKind>;

export const Architecture = z.enum(['amd64', 'arm64']);
export type Architecture = z.infer<typeof Architecture>;

export const evidenceKinds = [
  'checksum',
  'digest',
  'minisign',
  'sigstore',
  'attestation',
  'provenance',
  'sumdb',
  'authenticode',
  'pe',
  'buildinfo',
] as const;
export const EvidenceKind = z.enum(evidenceKinds);
export type EvidenceKind = z.infer<typeof EvidenceKind>;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/**
 * Anyone with a push key writes the record of their package, and this becomes a file name on the disk of whoever promotes or
 * verifies it.
 */
const FileName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'is not a file name');

export const ReleaseRecord = z.object({
  schema: z.literal(1),
  tool: z.string(),
  /** The package's version: `1.22.0-beta.1`, `1.22.0`, `1.22.0.1`. */
  version: z.string(),
  /** The recipe: our packaging number and the SHA-256 of tool file and templates. A changed recipe makes a new beta. */
  packaging: z.string(),
  builtBy: z.enum(['upstream', 'feed']),
  source: z.object({
    kind: SourceKind,
    upstream: z.string(),
    /** Upstream's version: `1.22.0`. */
    version: z.string(),
    /** See Found.fingerprint. */
    fingerprint: Sha256,
  }),
  payloads: z.array(
    z.object({
      architecture: Architecture,
      /** The file name at /dl/TOOL/VERSION/: `dlv-windows-amd64.exe`. */
      file: FileName,
      size: z.int().nonnegative(),
      sha256: Sha256,
      sha512: z.string().regex(/^[0-9a-f]{128}$/),
      url: z.string().optional(),
      asset: z.object({ name: z.string(), sha256: Sha256 }).optional(),
      goModule: z
        .object({
          path: z.string(),
          version: z.string(),
          toolchain: z.string(),
          tags: z.string(),
          ldflags: z.string(),
          sum: z.string(),
        })
        .optional(),
    }),
  ),
  evidence: z.array(
    z.object({
      kind: EvidenceKind,
      verdict: z.enum(['passed', 'failed', 'absent']),
      subject: z.string(),
      detail: z.string(),
      keyId: z.string().optional(),
    }),
  ),
});
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;

/** Canonical text: keys in the order above, two spaces, LF, final newline. */
export function printReleaseRecord(record: ReleaseRecord): string {
  return `${JSON.stringify(ReleaseRecord.parse(record), null, 2)}\n`;
}

/** @throws ZodError when the text is JSON of another shape, SyntaxError when it is not JSON */
export function parseReleaseRecord(text: string): ReleaseRecord {
  return ReleaseRecord.parse(JSON.parse(text));
}

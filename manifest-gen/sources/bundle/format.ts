import * as z from 'zod';
import { AssetFacts } from '../../release.ts';
import { isPlainVersion } from '../../tool-file/version-rules.ts';

/**
 * A bundle is a tar of plain files:
 *
 *     digests            SHA-256 and path of all that follows, in its order, as `sha256sum` writes it
 *     digests.minisig    its signature, as `minisign` writes it
 *     bundle.json        what the files are (below)
 *     TOOL/VERSION/...   the files as upstream offered them, what vouches for them, the record of the connected machine
 *     roots/...          the trusted roots that it was verified by
 *
 * Nothing in it depends on the day or the machine, and no bit of it is outside of what the signature covers.
 */
export const bundleSchema = 1;
export const digestsPath = 'digests';
export const signaturePath = 'digests.minisig';
export const contentPath = 'bundle.json';
/** Of every file in the tar; the time of making would be one more thing that differs. */
export const bundleTime = new Date(0);

const Hex64 = z.string().regex(/^[0-9a-f]{64}$/);
/** Whoever unpacks a bundle with tar gets these names: nothing leads out, nothing is hidden, Windows can hold all of them. */
const pathPattern = /^[A-Za-z0-9][\w.+-]*(\/[A-Za-z0-9@][\w.+@-]*){0,4}$/;
const Path = z.string().max(240).regex(pathPattern, 'is not a path in a bundle');
const PlainVersion = z.string().refine(isPlainVersion);

const { architecture, name, ...facts } = AssetFacts.shape;
/** In this order in bundle.json. */
const BundledAsset = z.strictObject({ architecture, name, path: Path, ...facts });
export type BundledAsset = z.infer<typeof BundledAsset>;

/** What a source found and gave (release.ts: Found, Fetched), with places in the bundle instead of on a disk. */
const BundledRelease = z.strictObject({
  tool: z.string(),
  version: PlainVersion,
  kind: z.enum(['github', 'npm', 'go-module']),
  upstream: z.string(),
  fingerprint: Hex64,
  published: z.iso.datetime().exactOptional(),
  assets: z.array(BundledAsset).min(1).max(2),
  sidecars: z.array(z.strictObject({ name: z.string(), path: Path })),
  /** The licence that lies beside the source of what was built. */
  license: Path.exactOptional(),
  /** Of the modules that it was built from, by `path@version`. */
  licenses: z.record(z.string(), z.string()).exactOptional(),
  notes: Path.exactOptional(),
  /** For people; the taking side makes its own. */
  record: Path,
});
export type BundledRelease = z.infer<typeof BundledRelease>;

/** bundle.json */
export const BundleContent = z.strictObject({
  schema: z.literal(bundleSchema),
  releases: z.array(BundledRelease).min(1),
  /** Trusted roots (JSON of Sigstore's TrustedRoot). They give no trust by themselves: whoever takes them names them in a TRUST_FILE. */
  roots: z.array(Path),
});
export type BundleContent = z.infer<typeof BundleContent>;

export type Listed = { readonly path: string; readonly sha256: string };

export function printDigests(files: readonly Listed[]): string {
  return files.map(({ sha256, path }) => `${sha256}  ${path}\n`).join('');
}

/** Undefined when it is not what `printDigests` writes, or names a path twice. */
export function readDigests(text: string): readonly Listed[] | undefined {
  const files = text.split('\n').slice(0, -1).map(readLine);
  const listed = files.filter((file) => file !== undefined);
  const paths = new Set(listed.map(({ path }) => path.toLowerCase()));
  const isWhole = paths.size === files.length && printDigests(listed) === text;
  return isWhole ? listed : undefined;
}

function readLine(line: string): Listed | undefined {
  const [, sha256, path] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
  return sha256 !== undefined && Path.safeParse(path).success ? { sha256, path: path ?? '' } : undefined;
}

/** A name from upstream as part of a path, with unsafe characters replaced; bundle.json has the name itself. */
export function pathPart(name: string): string {
  const part = name.replace(/[^\w.+@-]/g, '_').slice(0, 100);
  return /^[A-Za-z0-9@]/.test(part) ? part : `x${part}`;
}

import { fail, ReleaseError } from '../errors/release-error.ts';
import { digestFile } from '../formats/digest.ts';
import { FormatError } from '../formats/format-error.ts';
import { parseScoopManifest } from '../formats/scoop-manifest.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { ownPackages } from '../manifest-gen/verbs/own-packages.ts';
import { Address, Sha256, ToolName, ToolVersion } from './declaration.ts';
import { type Download, ExeName, type ToolDownload } from './lock.ts';

export const probeId = 'go-win-probe';

type Feed = Pick<OpenToolkit, 'bucket' | 'published'>;

/**
 * The tools that branch main offers, with their versions; this product's own packages are not among them.
 * @param only these, if there are any
 * @throws ReleaseError DEVBOX_UNKNOWN, DEVBOX_UNSUITED, BUCKET_*
 */
export async function offeredTools(
  { bucket }: Feed,
  only: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const own = new Set(ownPackages.map(({ tool }) => tool));
  const all = (await bucket.tools('main')).filter((tool) => !own.has(tool));
  const unknown = only.find((tool) => !all.includes(tool));
  if (unknown !== undefined)
    fail('DEVBOX_UNKNOWN', {
      what: all.length === 0 ? 'tools' : `tool ${unknown}; it has ${all.join(', ')}`,
      hint: promoteFirst,
    });
  const chosen = only.length > 0 ? only : all;
  if (chosen.length === 0) fail('DEVBOX_UNKNOWN', { what: 'tools', hint: promoteFirst });
  const versions: [string, string][] = [];
  for (const tool of [...new Set(chosen)].sort()) {
    const version = await bucket.version('main', tool);
    if (!ToolName.safeParse(tool).success || !ToolVersion.safeParse(version).success)
      unsuited(
        tool,
        version ?? '?',
        'its name or version has signs that a Dockerfile would not take literally',
      );
    versions.push([tool, version ?? '']);
  }
  return Object.fromEntries(versions);
}

const promoteFirst = 'Release one first: `release:beta TOOL`, then `release:promote TOOL`.';

/**
 * Where Scoop downloads the exe of a version, and its hash: what main offers, or offered when it came to that version.
 * @throws ReleaseError DEVBOX_UNKNOWN, DEVBOX_UNSUITED, BUCKET_*; FormatError for an invalid manifest
 */
export async function lockTool({ bucket }: Feed, tool: string, version: string): Promise<ToolDownload> {
  const text = await bucket.manifest('main', tool, version);
  if (text === undefined)
    return fail('DEVBOX_UNKNOWN', {
      what: `${tool} ${version}, and never had it`,
      hint: `\`release:status ${tool}\` shows its versions; correct devbox.yaml.`,
    });
  const { architecture } = parseScoopManifest(text);
  const { url, hash } = architecture?.['64bit'] ?? {};
  if (typeof url !== 'string' || typeof hash !== 'string')
    return unsuited(tool, version, 'its manifest has not one file for 64bit');
  // Scoop's `#/dlv.exe`: the name that the download gets
  const [address = '', renamed] = url.split('#/');
  const file = renamed ?? address.split('/').at(-1) ?? '';
  const sha256 = hash.replace(/^sha256:/, '').toLowerCase();
  if (!Address.safeParse(address).success || !Sha256.safeParse(sha256).success)
    return unsuited(tool, version, 'its manifest has no plain address with a SHA-256');
  if (!address.endsWith('.exe')) return unsuited(tool, version, 'Scoop downloads an archive, not an exe');
  const name = ExeName.safeParse(file);
  if (!name.success)
    return unsuited(tool, version, `its exe ${file.slice(0, 90)} ${name.error.issues[0]?.message}`);
  return { version, url: address, sha256, file };
}

/** The same; undefined where the bucket does not have it as an exe. @throws ReleaseError BUCKET_* */
export async function offeredTool(
  feed: Feed,
  tool: string,
  version: string,
): Promise<ToolDownload | undefined> {
  try {
    return await lockTool(feed, tool, version);
  } catch (error) {
    // also an invalid manifest: `release:verify` says what is wrong with it
    const isUnsuited = error instanceof ReleaseError && error.code.startsWith('DEVBOX_');
    if (isUnsuited || error instanceof FormatError) return undefined;
    throw error;
  }
}

function unsuited(tool: string, version: string, reason: string): never {
  return fail('DEVBOX_UNSUITED', {
    ...{ tool, version, reason },
    hint: 'Leave it out: name the other tools with --tool, or in devbox.yaml.',
  });
}

/**
 * The package of the probe; undefined when the feed does not have it.
 * @throws ReleaseError FEED_*
 */
export async function lockProbe(
  { published }: Feed,
  feed: string,
  version: string,
): Promise<Download | undefined> {
  const released = await published.release({ tool: probeId }, version);
  if (released === undefined) return undefined;
  const { sha256 } = await digestFile(released.nupkgPath);
  return { version, url: `${feed}/nuget/package/${probeId}/${version}`, sha256 };
}

import { normalizeVersion } from '../../formats/nuget-version.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import type { PackageContent } from './package-content.ts';

type Channel = 'main' | 'beta';
/** A tool's manifest on one channel of the bucket; the hashes are those of the files that Scoop downloads. */
export type ManifestVersion = { readonly version: string; readonly hashes: readonly string[] };

export type AppSources = {
  readonly bucket: { readManifest(channel: Channel, tool: string): Promise<ManifestVersion | undefined> };
  readonly content: PackageContent;
};

/**
 * Scoop's name for a package on each channel, if Scoop installs the version that the page shows; the page then shows Scoop's
 * commands too.
 */
export type Apps = { readonly main: string | undefined; readonly beta: string | undefined };

export async function readApps(
  sources: AppSources,
  stable: PackageRow | undefined,
  beta: PackageRow | undefined,
): Promise<Apps> {
  return { main: await appOf(sources, 'main', stable), beta: await appOf(sources, 'beta', beta) };
}

/**
 * The tool whose manifest installs exactly this version in Scoop. It nearly always has the package's name. Another name comes
 * from the package's own record, where anyone who may push the package can write any name: it only counts if Scoop downloads the
 * same exe as the one in the package.
 */
async function appOf(
  { bucket, content }: AppSources,
  channel: Channel,
  row: PackageRow | undefined,
): Promise<string | undefined> {
  if (row === undefined) return undefined;
  const manifestOf = async (tool: string): Promise<ManifestVersion | undefined> => {
    const manifest = await bucket.readManifest(channel, tool);
    const isSame = manifest !== undefined && normalizeVersion(manifest.version) === row.normalizedVersion;
    return isSame ? manifest : undefined;
  };
  if ((await manifestOf(row.id)) !== undefined) return row.id;
  const tool = await content.toolOf(row);
  const manifest = tool === undefined ? undefined : await manifestOf(tool);
  if (manifest === undefined) return undefined;
  const exe = await content.exeSha256Of(row);
  return exe !== undefined && manifest.hashes.includes(exe) ? tool : undefined;
}

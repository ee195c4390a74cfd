import { createHash } from 'node:crypto';
import { type Nupkg, withNupkg } from '../../formats/nupkg.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { PackageFile } from '../catalog/catalog.ts';
import type { HeldVersions, VersionReads } from '../catalog/held.ts';
import type { HeldManifest } from '../catalog/held-manifests.ts';
import { openCheckedSource } from '../feed/blob-source.ts';

type OfferedServices = {
  readonly catalog: Pick<HeldVersions, 'withHeld'> & Pick<VersionReads, 'findFile'>;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly bucket: {
    finishCommits(): Promise<void>;
    readManifest(
      channel: 'main',
      tool: string,
    ): Promise<{ readonly text: string; readonly version: string } | undefined>;
  };
  readonly installsSameFiles: (one: string, other: string) => boolean;
};

/** Whether a held version installs what main offers now, for Scoop and for Chocolatey (APPROVALS). */
export type IsOffered = (
  held: Pick<HeldManifest, 'tool' | 'version' | 'packageId' | 'text'>,
) => Promise<boolean>;

export function createIsOffered({ catalog, blobs, bucket, installsSameFiles }: OfferedServices): IsOffered {
  const read = async (file: PackageFile) => withNupkg(await openCheckedSource(blobs, file), contentOf);
  return async ({ tool, version, packageId: id, text }) => {
    // A completion is in the database first.
    await bucket.finishCommits();
    const offered = await bucket.readManifest('main', tool);
    if (offered === undefined || !installsSameFiles(offered.text, text)) return false;
    const held = await catalog.withHeld([{ id, version, isListed: false }]).findFile(id, version);
    const main = await catalog.findFile(id, offered.version);
    if (held === undefined || main === undefined) return main === undefined;
    return (await read(held)) === (await read(main));
  };
}

/** What a version has of its own, and what only packs it: NuGet's parts, texts for people, the record. */
const ofVersion =
  /^([^/]+\.nuspec|\[Content_Types\]\.xml|_rels\/\.rels|package\/.+\.psmdcp|tools\/(LICENSE\.txt|VERIFICATION\.txt|release\.json))$/;

/** What choco installs and runs: it finds its scripts in any folder. */
async function contentOf(nupkg: Nupkg): Promise<string> {
  const files: string[][] = [];
  for (const { name } of nupkg.entries.filter((entry) => !ofVersion.test(entry.name))) {
    const hash = createHash('sha256');
    // in pieces: an exe may have hundreds of megabytes
    for await (const chunk of await nupkg.openEntry(name)) hash.update(chunk);
    files.push([name, hash.digest('hex')]);
  }
  const { dependencies } = nupkg.nuspec;
  return JSON.stringify([dependencies, files.sort(([one = ''], [other = '']) => (one < other ? -1 : 1))]);
}

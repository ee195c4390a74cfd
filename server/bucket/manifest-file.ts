import { isUtf8 } from 'node:buffer';
import { FormatError } from '../../formats/format-error.ts';
import { parseScoopManifest, printScoopManifest, type ScoopManifest } from '../../formats/scoop-manifest.ts';

/** A manifest in the bucket, valid or not. */
export type ManifestFile = {
  /** Empty when the file cannot be read. */
  readonly version: string;
  readonly downloads: readonly Download[];
  /** Why Scoop or its checks would reject the file; undefined if they would not. */
  readonly problem: string | undefined;
};

export type Download = {
  readonly architecture: string;
  readonly url: string;
  readonly hash: string | undefined;
};

/** A manifest of two hundred lines has a few kilobytes. Each changed one is read, checked and printed. */
const limits = { bytes: 256 * 1024, downloads: 50 };

/** Reads a manifest. A fault is part of the result, since the pusher gets all faults of a push at once. */
export function readManifestFile(bytes: Buffer): ManifestFile {
  if (bytes.length > limits.bytes) {
    return unreadable(`it has ${bytes.length} bytes; at most ${limits.bytes} are accepted`);
  }
  // Programs differ in how they read bytes that are not UTF-8.
  if (!isUtf8(bytes)) {
    return unreadable('it is not valid UTF-8');
  }
  const text = bytes.toString('utf8');
  try {
    const manifest = parseScoopManifest(text);
    const downloads = downloadsOf(manifest);
    if (downloads.length > limits.downloads) {
      return unreadable(`it has ${downloads.length} urls; at most ${limits.downloads} are accepted`);
    }
    return {
      version: manifest.version,
      downloads,
      problem:
        printScoopManifest(manifest) === text
          ? undefined
          : "it does not have Scoop's formatting (formatjson: 4 spaces, its order of keys, one final newline)",
    };
  } catch (error) {
    if (error instanceof FormatError) {
      return unreadable(error.message);
    }
    throw error;
  }
}

function unreadable(problem: string): ManifestFile {
  return { version: '', downloads: [], problem };
}

/** Whether both have the same version and the same bytes, wherever those are downloaded from. */
export function isSameRelease(one: ManifestFile, other: ManifestFile): boolean {
  const bytes = ({ version, downloads }: ManifestFile): string =>
    JSON.stringify([
      version,
      downloads.map(({ architecture, hash }) => [architecture, hash?.toLowerCase()]).sort(),
    ]);
  return bytes(one) === bytes(other);
}

function downloadsOf(manifest: ScoopManifest): Download[] {
  const places = [
    { architecture: 'any', url: manifest.url, hash: manifest.hash },
    ...Object.entries(manifest.architecture ?? {}).map(([architecture, part]) => ({
      architecture,
      url: part?.url,
      hash: part?.hash,
    })),
  ];
  return places.flatMap(({ architecture, url, hash }) => {
    const hashes = [hash].flat();
    return [url]
      .flat()
      .flatMap((one, index) => (one === undefined ? [] : [{ architecture, url: one, hash: hashes[index] }]));
  });
}

import type { ExportIndex } from '../../formats/export-index.ts';
import type { Payload } from '../catalog/payloads.ts';
import type { CatalogSnapshot, SnapshotPackage } from '../catalog/snapshot.ts';

/** A file that the folder will contain. */
export type ExportFile = {
  /** Relative to the export, with `/` between folders. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The file's modification time, which is the only date that an import of a plain folder has. */
  readonly time: Date;
};

export type ExportPlan = {
  readonly files: readonly ExportFile[];
  readonly packages: ExportIndex['packages'];
  readonly payloads: ExportIndex['payloads'];
  /** Requested ids that the feed does not have. */
  readonly unknown: readonly string[];
};

/** The content of an export; `ids` in any casing, none means all. A payload belongs to the id of its tool. */
export async function planExport(snapshot: CatalogSnapshot, ids: readonly string[]): Promise<ExportPlan> {
  const wanted = new Set(ids.map((id) => id.toLowerCase()));
  const isWanted = (id: string): boolean => wanted.size === 0 || wanted.has(id.toLowerCase());
  const chosen: SnapshotPackage[] = [];
  for await (const pkg of snapshot.packages()) if (isWanted(pkg.id)) chosen.push(pkg);
  const names = nameFiles(chosen);
  const packages = chosen.map((pkg, at) => ({
    id: pkg.id,
    version: pkg.version,
    listed: pkg.isListed,
    published: pkg.published.toISOString(),
    sha256: pkg.sha256,
    sha512: pkg.sha512,
    size: pkg.sizeBytes,
    file: names[at] ?? '',
  }));
  const payloads: Payload[] = [];
  for await (const payload of snapshot.payloads()) if (isWanted(payload.tool)) payloads.push(payload);
  const known = new Set([...chosen.map(({ id }) => id.toLowerCase()), ...payloads.map(({ tool }) => tool)]);
  return {
    packages,
    payloads: payloads.map(({ tool, version, sha256, sizeBytes, file }) => ({
      tool,
      version,
      sha256,
      size: sizeBytes,
      file: `dl/${tool}/${version}/${file}`,
    })),
    files: [
      ...packages.map(({ file, sha256, size, published }) => ({
        path: file,
        sha256,
        sizeBytes: size,
        time: new Date(published),
      })),
      ...payloads.map(({ tool, version, file, sha256, sizeBytes, created }) => ({
        path: `dl/${tool}/${version}/${file}`,
        sha256,
        sizeBytes,
        time: created,
      })),
    ],
    unknown: [...wanted].filter((id) => !known.has(id)),
  };
}

/**
 * `ID.VERSION.nupkg`, as in every NuGet folder. `a.1` 0.0 and `a` 1.0.0 may need the same name: then both get the beginning of
 * their digest, so that a name never depends on the order of packages.
 */
export function nameFiles(packages: readonly Pick<SnapshotPackage, 'id' | 'version' | 'sha256'>[]): string[] {
  const uses = new Map<string, number>();
  const plain = packages.map(({ id, version, sha256 }) => plainName(id, version, sha256));
  for (const name of plain) uses.set(name.toLowerCase(), (uses.get(name.toLowerCase()) ?? 0) + 1);
  return plain.map((name, at) => {
    const isShared = (uses.get(name.toLowerCase()) ?? 0) > 1;
    return isShared ? `${name}.${packages[at]?.sha256.slice(0, 12)}.nupkg` : `${name}.nupkg`;
  });
}

/** On Windows, no file name may begin with a device's name or be longer than 255 characters. */
function plainName(id: string, version: string, sha256: string): string {
  const name = `${id}.${version}`;
  if (name.length > 200) return `${id}.${sha256}`;
  return /^(con|prn|aux|nul|com\d|lpt\d)\./i.test(name) ? `_${name}` : name;
}

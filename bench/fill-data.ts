import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestBytes } from '../formats/digest.ts';
import { type Nuspec, readNuspec } from '../formats/nuspec.ts';
import { operator } from '../server/audit/audit.ts';
import { pathOfBlob } from '../server/blobs/disk-reader.ts';
import { createSqlCatalog } from '../server/catalog/sql/catalog.ts';
import { openDataDir } from '../server/data-dir.ts';
import { openDatabase } from '../server/database/connection.ts';
import { type BenchPackage, makeNupkg, nuspecOf } from './packages.ts';

const batch = 2_000;

/**
 * Makes a data folder that holds the packages, through the product's own catalog but in large transactions and without fsync:
 * 165,000 of them in a minute instead of an hour. With `peerDir` it also writes each package there, as a file. Only packages in
 * `withBytes` get a blob: so many small files would take minutes to write and to remove.
 */
export async function fillData(
  dir: string,
  packages: readonly BenchPackage[],
  peerDir?: string,
  withBytes: ReadonlySet<BenchPackage> = new Set(packages),
): Promise<void> {
  const data = openDataDir(dir);
  const db = openDatabase(data.database);
  try {
    db.pragma('synchronous = OFF');
    // Keeps all indexes in memory, and writes a page only after many changes.
    db.pragma('cache_size = -400000');
    db.pragma('wal_autocheckpoint = 20000');
    const catalog = createSqlCatalog(db, () => new Date());
    if (peerDir !== undefined) mkdirSync(peerDir, { recursive: true });
    const writeBlob = createBlobWriter(data.blobs);
    const store = (pkg: BenchPackage): Digest => {
      const nupkg = makeNupkg(pkg);
      const digest = digestBytes(nupkg);
      const blob = writeBlob(digest.sha256, nupkg);
      if (peerDir !== undefined) linkSync(blob, join(peerDir, `${pkg.id}.${pkg.version}.nupkg`));
      return digest;
    };
    const nuspecs = new Map<string, Nuspec>();
    for (let start = 0; start < packages.length; start += batch) {
      const adding = [];
      for (const pkg of packages.slice(start, start + batch)) {
        const known = nuspecs.get(pkg.id) ?? (await readNuspec(nuspecOf(pkg)));
        nuspecs.set(pkg.id, known);
        const digest = withBytes.has(pkg) ? store(pkg) : absent(pkg);
        const nuspec = { ...known, version: pkg.version };
        adding.push(catalog.add({ ...pkg, nuspec, ...digest, published: new Date() }, operator));
      }
      // Packages that are added together share one transaction.
      await Promise.all(adding);
    }
  } finally {
    db.close();
    data.release();
  }
}

type Digest = ReturnType<typeof digestBytes>;

function absent({ id, version }: BenchPackage): Digest {
  return { ...digestBytes(Buffer.from(`${id} ${version}`)), sizeBytes: 5_000 };
}

/** One call at a time, so other threads would gain nothing. */
function createBlobWriter(root: string) {
  const made = new Set<string>();
  return function writeBlob(sha256: string, bytes: Buffer): string {
    const file = pathOfBlob(root, sha256);
    const dir = dirname(file);
    if (!made.has(dir)) mkdirSync(dir, { recursive: true });
    made.add(dir);
    writeFileSync(file, bytes);
    return file;
  };
}

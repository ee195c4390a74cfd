import AdmZip from 'adm-zip';
import { digestBytes } from '../../formats/digest.ts';
import { type Nuspec, writeNuspec } from '../../formats/nuspec.ts';
import type { NewPackage } from '../../server/catalog/catalog.ts';

export type NuspecParts = Partial<Nuspec> & { readonly id: string; readonly version: string };

/** A complete nuspec of which a test names only what it is about. */
export function makeNuspec(parts: NuspecParts): Nuspec {
  return {
    authors: 'Somebody',
    description: `About ${parts.id}.`,
    tags: [],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
    ...parts,
  };
}

/** The bytes of a small real package; `files` are added beside the nuspec. */
export function makeNupkg(parts: NuspecParts, files: Readonly<Record<string, string | Buffer>> = {}): Buffer {
  const zip = new AdmZip();
  zip.addFile(`${parts.id}.nuspec`, Buffer.from(writeNuspec(makeNuspec(parts))));
  for (const [name, content] of Object.entries({ 'tools/readme.txt': `${parts.id}\n`, ...files })) {
    zip.addFile(name, Buffer.from(content));
  }
  return zip.toBuffer();
}

/** What the catalog is told of a package, without bytes behind it. */
export function makePackage(parts: NuspecParts, published = new Date('2026-01-01T00:00:00Z')): NewPackage {
  const { id, version } = parts;
  return {
    id,
    version,
    nuspec: makeNuspec(parts),
    ...digestBytes(Buffer.from(`${id} ${version}`)),
    published,
  };
}

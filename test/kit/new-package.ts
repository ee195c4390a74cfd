import { digestBytes } from '../../formats/digest.ts';
import type { Nuspec } from '../../formats/nuspec.ts';
import type { NewPackage } from '../../server/catalog/catalog.ts';

export type NuspecParts = Partial<Nuspec> & { readonly id: string; readonly version: string };

/** A package as the catalog gets it, without bytes behind it; a test names only what it is about. */
export function makePackage(parts: NuspecParts, published = new Date('2026-01-01T00:00:00Z')): NewPackage {
  const { id, version } = parts;
  const nuspec: Nuspec = {
    authors: 'Somebody',
    description: `About ${id}.`,
    tags: [],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
    ...parts,
  };
  return { id, version, nuspec, ...digestBytes(Buffer.from(`${id} ${version}`)), published };
}

import type { PackageRow } from '../catalog/catalog.ts';

/** The files of a package that its nuspec may name; each has its own address in v3. */
export const namedFiles = ['icon', 'license', 'readme'] as const;
export type NamedFile = (typeof namedFiles)[number];

type Named = Pick<PackageRow, 'id' | 'normalizedVersion'>;
type WithNuspec = Pick<PackageRow, 'nuspec'>;
/** `client` is `/c/ID` at the addresses of one client, else empty. */
export type AddressOf = (row: Named & WithNuspec, root: string, client?: string) => string | undefined;

/** @param root the server's address, without trailing slash */
export function fileAddress(
  root: string,
  { id, normalizedVersion }: Named,
  file: NamedFile,
  client = '',
): string {
  const path = [id, normalizedVersion, file].map((part) => encodeURIComponent(part.toLowerCase()));
  return `${root}/v3${client}/flat/${path.join('/')}`;
}

/** The path of a named file, from the nuspec. */
export function namedPath({ nuspec }: WithNuspec, file: NamedFile): string | undefined {
  if (file !== 'license') return nuspec[file];
  return nuspec.license?.type === 'file' ? nuspec.license.text : undefined;
}

/** The address of the icon in the package, or else the address in the nuspec. */
export function iconAddress(row: Named & WithNuspec, root: string, client = ''): string | undefined {
  return row.nuspec.icon === undefined
    ? webAddress(row.nuspec.iconUrl)
    : fileAddress(root, row, 'icon', client);
}

/** The address of the license file in the package, or else the address in the nuspec. */
export function licenseAddress(row: Named & WithNuspec, root: string, client = ''): string | undefined {
  if (row.nuspec.license?.type === 'file') return fileAddress(root, row, 'license', client);
  const { licenseUrl } = row.nuspec;
  return licenseUrl !== undefined && isPlaceholder(licenseUrl) ? undefined : webAddress(licenseUrl);
}

export function readmeAddress(row: Named & WithNuspec, root: string, client = ''): string | undefined {
  return row.nuspec.readme === undefined ? undefined : fileAddress(root, row, 'readme', client);
}

/**
 * Clients turn it into links and pictures, OneGet throws on anything but an address (spec nuget-v2 9.5), and people click on it.
 */
export function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

/** `dotnet pack` writes it next to a license file; it does not lead to the license. */
function isPlaceholder(address: string): boolean {
  return /^https?:\/\/aka\.ms\/deprecatelicenseurl\b/i.test(address);
}

import { parseNuGetVersion } from './nuget-version.ts';
import { isPackageId } from './nuspec-fields.ts';
import type { XmlElement } from './xml.ts';

/** Fields that `dotnet pack` and `nuget pack` write in addition to those that Chocolatey knows. */
export type SdkFields = {
  /** An SPDX expression, or the path of a file in the package. */
  readonly license?: { readonly type: 'expression' | 'file'; readonly text: string };
  /** Paths in the package, as written. */
  readonly icon?: string;
  readonly readme?: string;
  /** Absent for a plain package, which clients call a Dependency. */
  readonly packageTypes?: readonly PackageType[];
  readonly repository?: Repository;
};
export type PackageType = { readonly name: string; readonly version?: string };
export type Repository = {
  readonly type?: string;
  readonly url?: string;
  readonly branch?: string;
  readonly commit?: string;
};

/** The type of packages that name none. */
export const plainPackageType = 'Dependency';

/**
 * Reads them from a nuspec's metadata. Values that no client could use are ignored instead of refused: a feed may contain such
 * packages from before these fields were read.
 */
export function readSdkFields(child: (name: string) => XmlElement | undefined): SdkFields {
  const [icon, readme] = [child('icon')?.text, child('readme')?.text];
  const license = readLicense(child('license'));
  const packageTypes = readPackageTypes(child('packageTypes'));
  const repository = readRepository(child('repository'));
  return {
    ...(license && { license }),
    ...(icon && { icon }),
    ...(readme && { readme }),
    ...(packageTypes.length > 0 && { packageTypes }),
    ...(repository && { repository }),
  };
}

/** For xml2js' Builder. */
export function sdkElements({ license, icon, readme, packageTypes, repository }: SdkFields): object {
  return {
    ...(license && { license: { $: { type: license.type }, _: license.text } }),
    ...(icon && { icon }),
    ...(readme && { readme }),
    ...(packageTypes && { packageTypes: { packageType: packageTypes.map((type) => ({ $: type })) } }),
    ...(repository && { repository: { $: repository } }),
  };
}

function readLicense(element: XmlElement | undefined): SdkFields['license'] {
  const type = element?.attributes.get('type')?.trim().toLowerCase();
  if (!element?.text || (type !== 'expression' && type !== 'file')) return undefined;
  return { type, text: element.text };
}

/** Packages have one or two, and every search for a type compares them all. */
const maxPackageTypes = 20;

function readPackageTypes(list: XmlElement | undefined): readonly PackageType[] {
  const types = (list?.children ?? []).flatMap(({ name: element, attributes }): PackageType[] => {
    const [name = '', version = ''] = ['name', 'version'].map((of) => attributes.get(of)?.trim());
    if (element !== 'packageType' || !isPackageId(name)) return [];
    return [{ name, ...(parseNuGetVersion(version) && { version }) }];
  });
  return types.slice(0, maxPackageTypes);
}

function readRepository(element: XmlElement | undefined): Repository | undefined {
  const found: Record<string, string> = {};
  for (const name of ['type', 'url', 'branch', 'commit'] as const) {
    const text = element?.attributes.get(name)?.trim();
    if (text) found[name] = text;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

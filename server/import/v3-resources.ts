import { resolveLink } from '../../formats/feed-link.ts';
import { parseNuGetVersion, printNormalizedVersion } from '../../formats/nuget-version.ts';
import { isPackageId } from '../../formats/nuspec-fields.ts';
import type { ServiceIndex } from './v3-schema.ts';

/** The addresses in a v3 feed that an import needs. */
export type Resources = {
  readonly search: URL | undefined;
  readonly registrations: URL | undefined;
  readonly container: URL | undefined;
};

/** Among registrations, the one that includes SemVer 2 versions. */
const wanted = {
  search: ['SearchQueryService/3.5.0', 'SearchQueryService/', 'SearchQueryService'],
  registrations: [
    'RegistrationsBaseUrl/3.6.0',
    'RegistrationsBaseUrl/Versioned',
    'RegistrationsBaseUrl/3.4.0',
    'RegistrationsBaseUrl',
  ],
  container: ['PackageBaseAddress/'],
} as const;

export function resourcesOf({ resources }: ServiceIndex, index: URL): Resources {
  const find = (types: readonly string[], mend: (text: string) => string): URL | undefined => {
    for (const type of types) {
      const found = resources.find((resource) =>
        [resource['@type']].flat().some((name) => name.startsWith(type)),
      );
      if (found !== undefined) return resolveLink(mend(found['@id']), index);
    }
    return undefined;
  };
  const folder = (text: string) => text.replace(/\/*$/, '/');
  return {
    search: find(wanted.search, (text) => text),
    registrations: find(wanted.registrations, folder),
    container: find(wanted.container, folder),
  };
}

/** Where the bytes of a version are in the flat container. */
export function contentOf({ container }: Resources, id: string, version: string): URL | undefined {
  const parsed = parseNuGetVersion(version);
  if (container === undefined || parsed === undefined || !isPackageId(id)) return undefined;
  const [name, number] = [id.toLowerCase(), printNormalizedVersion(parsed).toLowerCase()];
  return new URL(`${name}/${number}/${name}.${number}.nupkg`, container);
}

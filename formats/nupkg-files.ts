import type { Nupkg, NupkgEntry } from './nupkg.ts';
import type { Nuspec } from './nuspec.ts';

/** Size limit for the icon, license and readme of a package; nuget.org has the same. */
export const maxNamedFileBytes = 1024 * 1024;

/**
 * Finds the entry that a path in a nuspec means, as NuGet does: with either slash, and names in the zip may be escaped. An exact
 * match of case is preferred.
 */
export function findNamedEntry<Entry extends Pick<NupkgEntry, 'name'>>(
  entries: readonly Entry[],
  path: string,
): Entry | undefined {
  const wanted = plainPath(path);
  const named = entries.map((entry) => ({ entry, name: plainPath(unescaped(entry.name)) }));
  const exact = named.find(({ name }) => name === wanted);
  return (exact ?? named.find(({ name }) => name.toLowerCase() === wanted.toLowerCase()))?.entry;
}

/** The nuspec without its references to files that are missing from the package or too large, since no feed could send those. */
export function nuspecWithItsFiles({ nuspec, entries }: Pick<Nupkg, 'nuspec' | 'entries'>): Nuspec {
  const { icon, readme, license, ...others } = nuspec;
  const has = (path: string | undefined): path is string =>
    path !== undefined && (findNamedEntry(entries, path)?.bytes ?? Infinity) <= maxNamedFileBytes;
  return {
    ...others,
    ...(has(icon) && { icon }),
    ...(has(readme) && { readme }),
    ...(license && (license.type === 'expression' || has(license.text)) && { license }),
  };
}

function plainPath(path: string): string {
  return path
    .split(/[\\/]+/)
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function unescaped(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

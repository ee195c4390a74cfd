/** What a package is for, which decides which clients can use it. */
export type PackageKind = 'program' | 'library' | 'dotnet-tool' | 'template' | 'powershell';

type Described = {
  readonly tags: readonly string[];
  readonly packageTypes?: readonly { readonly name: string }[];
};

/** The types of NuGet that only one client can use; packages with other types are for programs of their own. */
const kindOfType: ReadonlyMap<string, PackageKind> = new Map([
  ['dotnettool', 'dotnet-tool'],
  ['template', 'template'],
  ['dependency', 'library'],
]);

/** Publish-Module and Publish-PSResource add one of these tags to everything that they publish. */
const powershellTags = new Set(['psmodule', 'psscript']);

/** The kind of a package by its nuspec and files; `files` is the result of `kindOfFiles`. */
export function kindOf({ tags, packageTypes = [] }: Described, files: PackageKind | undefined): PackageKind {
  const [named] = packageTypes.flatMap(({ name }) => kindOfType.get(name.toLowerCase()) ?? []);
  if (named !== undefined) return named;
  if (tags.some((tag) => powershellTags.has(tag.toLowerCase()))) return 'powershell';
  return files ?? 'program';
}

/** The folders whose files NuGet adds to a project (NuGet.Client ManagedCodeConventions). */
const projectFolders =
  /^(?:lib|ref|runtimes|build|buildTransitive|buildMultiTargeting|contentFiles|analyzers)\//i;

/**
 * What the files of a package are for. `dotnet tool` looks for DotnetToolSettings.xml, `dotnet new` for template.json; Chocolatey
 * runs `tools/chocolatey*.ps1`, so a package with that file works in Chocolatey, whatever else it contains.
 */
export function kindOfFiles(names: readonly string[]): PackageKind {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/^tools\/.+\/DotnetToolSettings\.xml$/i)) return 'dotnet-tool';
  if (has(/(?:^|\/)\.template\.config\/template\.json$/i)) return 'template';
  if (has(projectFolders) && !has(/^tools\/chocolatey[^/]*\.ps1$/i)) return 'library';
  return 'program';
}

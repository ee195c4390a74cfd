/** What a package is made for, which decides the clients that can use it. */
export type PackageKind = 'program' | 'library' | 'dotnet-tool' | 'template' | 'powershell';

type Described = {
  readonly tags: readonly string[];
  readonly packageTypes?: readonly { readonly name: string }[];
};

/** The types of NuGet that only one client can use; other types are for programs of their own. */
const kindOfType: ReadonlyMap<string, PackageKind> = new Map([
  ['dotnettool', 'dotnet-tool'],
  ['template', 'template'],
  ['dependency', 'library'],
]);

/** Publish-Module and Publish-PSResource write one of these into the tags of all that they publish. */
const powershellTags = new Set(['psmodule', 'psscript']);

/** A package as its nuspec describes it and its files show it; `files` is what `kindOfFiles` found in them. */
export function kindOf({ tags, packageTypes = [] }: Described, files: PackageKind | undefined): PackageKind {
  const [named] = packageTypes.flatMap(({ name }) => kindOfType.get(name.toLowerCase()) ?? []);
  if (named !== undefined) return named;
  if (tags.some((tag) => powershellTags.has(tag.toLowerCase()))) return 'powershell';
  return files ?? 'program';
}

/** The folders that NuGet gives to a project (NuGet.Client ManagedCodeConventions). */
const projectFolders =
  /^(?:lib|ref|runtimes|build|buildTransitive|buildMultiTargeting|contentFiles|analyzers)\//i;

/**
 * What the files of a package are for. `dotnet tool` looks for DotnetToolSettings.xml, `dotnet new` for template.json; Chocolatey runs
 * `tools/chocolatey*.ps1`, which a package has beside anything else when it is made for Chocolatey too.
 */
export function kindOfFiles(names: readonly string[]): PackageKind {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/^tools\/.+\/DotnetToolSettings\.xml$/i)) return 'dotnet-tool';
  if (has(/(?:^|\/)\.template\.config\/template\.json$/i)) return 'template';
  if (has(projectFolders) && !has(/^tools\/chocolatey[^/]*\.ps1$/i)) return 'library';
  return 'program';
}

import { writeNuspec } from '../../formats/nuspec.ts';
import type { Tool } from './tools.ts';

/** The templates of a tool without template files: `package:` as a nuspec and as a Scoop manifest. */
type Described = Tool & { readonly package: NonNullable<Tool['package']> };

export function isDescribed(tool: Tool): tool is Described {
  return tool.package !== undefined;
}

/** A nuspec with `{version}` where upstream's version goes. */
export function defaultNuspec(tool: Described): string {
  const { title, description, owners, tags, license: _license, notes: _notes, ...said } = tool.package;
  return writeNuspec({
    ...given(said),
    id: tool.packageId ?? tool.tool,
    version: '{version}',
    title: title ?? tool.tool,
    authors: said.authors,
    owners: owners ?? 'go-win-tools',
    description: `${description ?? describe(tool)}\n\n${contents}`,
    tags: tags ?? [...new Set([tool.tool, tool.command])],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
  });
}

/** What a manifest has besides version and addresses. */
export function defaultManifest({ package: { summary, projectUrl, license, notes } }: Described): string {
  const manifest = { description: summary, homepage: projectUrl, license, ...given({ notes }) };
  return `${JSON.stringify(manifest, null, 4)}\n`;
}

const contents =
  'This package holds the executable itself and downloads nothing when it is installed. `tools/VERIFICATION.txt` and ' +
  '`tools/release.json` in it say where the executable comes from and what was checked.';

function describe({ command, package: { summary } }: Described): string {
  return `${summary.replace(/\.$/, '')}.\n\nThe command is \`${command}\`.`;
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without the fields that have no value. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

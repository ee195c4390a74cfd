import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../errors/release-error.ts';
import { writeNuspec } from '../../formats/nuspec.ts';
import { packageIdOf, type Tool } from './tools.ts';

/** The half of a package and a manifest that is the same for every version. */
export type Templates = {
  readonly nuspec: string;
  readonly manifest: string;
  /** For sources that bring no licence text along. */
  readonly license?: string | undefined;
  /** Where a fault in the nuspec is corrected: a file, or the tool's own with the section that it was made from. */
  readonly nuspecFile: string;
};

export type TemplatePlaces = {
  /** The product's own: nuspecs/ and buckets/. */
  readonly productDir: string;
  /** TOOLS_DIR, an organisation's own tools. */
  readonly toolsDir: string | undefined;
};

/**
 * The nearest of: a file beside the tool's YAML in TOOLS_DIR (`x.nuspec`, `x.json`, `x.LICENSE.txt`), what its `package:` says,
 * the product's own nuspecs/ and buckets/. With LF, even in a Windows checkout.
 * @throws ReleaseError TOOL_FILE_INVALID when there is none
 */
export async function loadTemplates(endpoints: TemplatePlaces, tool: Tool): Promise<Templates> {
  const { productDir, toolsDir } = endpoints;
  const name = tool.tool;
  const beside = async (ending: string): Promise<Found | undefined> =>
    toolsDir === undefined ? undefined : find(join(toolsDir, `${name}.${ending}`));
  const made = (print: (tool: Described) => string): Found | undefined =>
    isDescribed(tool) ? { file: `${name}.yaml (package)`, text: print(tool) } : undefined;
  const nuspecs = join(productDir, 'nuspecs', name);
  const buckets = join(productDir, 'buckets', 'go-win-tools');

  const nuspec =
    (await beside('nuspec')) ?? made(defaultNuspec) ?? (await need(join(nuspecs, `${name}.nuspec`), name));
  const manifest =
    (await beside('json')) ?? made(defaultManifest) ?? (await need(join(buckets, `${name}.json`), name));
  const license =
    (await beside('LICENSE.txt')) ??
    (isDescribed(tool) ? undefined : await find(join(nuspecs, 'LICENSE.txt')));
  return { nuspec: nuspec.text, nuspecFile: nuspec.file, manifest: manifest.text, license: license?.text };
}

type Found = { readonly file: string; readonly text: string };

async function need(file: string, name: string): Promise<Found> {
  const problems = `the template does not exist; a section package: in ${name}.yaml replaces it`;
  return (await find(file)) ?? fail('TOOL_FILE_INVALID', { file, problems });
}

async function find(file: string): Promise<Found | undefined> {
  try {
    return { file, text: (await readFile(file, 'utf8')).replace(/\r\n/g, '\n') };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** The templates of a tool without template files: `package:` as a nuspec and as a Scoop manifest. */
type Described = Tool & { readonly package: NonNullable<Tool['package']> };

function isDescribed(tool: Tool): tool is Described {
  return tool.package !== undefined;
}

/** A nuspec with `{version}` where upstream's version goes. */
function defaultNuspec(tool: Described): string {
  const { title, description, owners, tags, license: _license, notes: _notes, ...said } = tool.package;
  return writeNuspec({
    ...given(said),
    id: packageIdOf(tool),
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
function defaultManifest({ package: { summary, projectUrl, license, notes } }: Described): string {
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

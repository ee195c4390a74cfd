import { type Nuspec, readNuspec, writeNuspec } from '../../../formats/nuspec.ts';
import { fail } from '../../errors.ts';
import type { Templates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { judgePackage } from './package-rules.ts';
import { joinNotes } from './release-notes.ts';

type Template = Pick<Templates, 'nuspec' | 'nuspecFile'>;

type NuspecVersion = { readonly upstream: string; readonly package: string };

/**
 * The package's nuspec: the template with id and version set and `{version}` in any text (release notes, icon) replaced by
 * upstream's version. Upstream's release notes, if any, come before the template's own. The packer decides which files are in the
 * package, so `<files>` is removed.
 * @throws FormatError when the template is not a nuspec
 * @throws ReleaseError TOOL_FILE_INVALID naming the file and each field that breaks a rule of package-rules.ts
 */
export async function renderNuspec(
  template: Template,
  tool: Tool,
  version: NuspecVersion,
  upstreamNotes?: string,
): Promise<string> {
  const nuspec = await fillNuspec(template, tool, version);
  const releaseNotes =
    upstreamNotes === undefined ? nuspec.releaseNotes : joinNotes(upstreamNotes, nuspec.releaseNotes);
  return writeNuspec({ ...nuspec, ...(releaseNotes === undefined ? {} : { releaseNotes }) });
}

/** The same as values, to be judged before anything is downloaded. Same errors. */
export async function fillNuspec(
  { nuspec: template, nuspecFile: file }: Template,
  tool: Tool,
  version: NuspecVersion,
): Promise<Nuspec> {
  const { files: _, ...read } = await readNuspec(template.replaceAll('{version}', version.upstream));
  const nuspec = { ...read, id: tool.packageId ?? tool.tool, version: version.package };
  const faults = judgePackage(nuspec);
  if (faults.length > 0) {
    const problems = faults.map(({ rule, field, problem }) => `${field} ${problem} (${rule})`).join('; ');
    fail('TOOL_FILE_INVALID', { file, problems: `expected that ${problems}` });
  }
  return nuspec;
}

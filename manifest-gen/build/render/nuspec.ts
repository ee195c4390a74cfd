import { fail } from '../../../errors/release-error.ts';
import { type Nuspec, readNuspec, writeNuspec } from '../../../formats/nuspec.ts';
import type { Templates } from '../../tool-file/templates.ts';
import { packageIdOf, type Tool } from '../../tool-file/tools.ts';
import { judgePackage, maxReleaseNotes } from './package-rules.ts';

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
  const nuspec = { ...read, id: packageIdOf(tool), version: version.package };
  const faults = judgePackage(nuspec);
  if (faults.length > 0) {
    const problems = faults.map(({ rule, field, problem }) => `${field} ${problem} (${rule})`).join('; ');
    fail('TOOL_FILE_INVALID', { file, problems: `expected that ${problems}` });
  }
  return nuspec;
}

const cutMark = '\n\n[...]';

/**
 * Upstream's notes for a package: its text, then the address of the whole. The text is untrusted, so it keeps only characters
 * that XML allows, no marks that change the direction of writing, and no more than Chocolatey accepts.
 * @param own the package's own notes: an address, or text
 */
export function joinNotes(upstream: string, own: string | undefined): string | undefined {
  const text = clean(upstream);
  if (text === '') return own;
  const tail = own === undefined ? '' : `${join}${own}`;
  const isWhole = text.length + tail.length <= maxReleaseNotes;
  return `${isWhole ? text : cut(text, maxReleaseNotes - tail.length)}${tail}`;
}

/** What `joinNotes` put before a package's own notes; undefined when it put nothing. Joining it again gives the same text. */
export function notesIn(releaseNotes: string | undefined, own: string | undefined): string | undefined {
  const tail = own === undefined ? '' : `${join}${own}`;
  if (releaseNotes === undefined || releaseNotes === own || !releaseNotes.endsWith(tail)) return undefined;
  return releaseNotes.slice(0, releaseNotes.length - tail.length);
}

const join = '\n\n';

function clean(text: string): string {
  // through UTF-8 half characters are lost here as they are on the way into a file
  return Buffer.from(text)
    .toString()
    .replace(/\r\n?/g, '\n')
    .replace(notShown, '')
    .replace(/[ \t]+$/gm, '')
    .trim();
}

/** Characters that XML 1.0 does not allow, and marks that make a line read otherwise than it is written. */
const notShown = /(?![\t\n])\p{Cc}|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

/** After a whole line; where even the first is too long, after a whole character. */
function cut(text: string, maxLength: number): string {
  const head = text.slice(0, Math.max(0, maxLength - cutMark.length));
  const end = head.lastIndexOf('\n');
  const kept = end > 0 ? head.slice(0, end) : head.replace(/[\ud800-\udbff]$/, '');
  return `${kept.trimEnd()}${cutMark}`;
}

import { readNuspec, writeNuspec } from '../../formats/nuspec.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Tool } from '../tools.ts';

/**
 * The package's nuspec: nuspecs/TOOL/TOOL.nuspec with id and version set and `{version}` in any text (release notes, icon)
 * replaced by upstream's version. Which files are in the package is the packer's business, so `<files>` goes.
 * @throws FormatError when the template is no nuspec
 */
export async function renderNuspec(template: string, tool: Tool, record: ReleaseRecord): Promise<string> {
  const { files: _, ...nuspec } = await readNuspec(template.replaceAll('{version}', record.source.version));
  return writeNuspec({ ...nuspec, id: tool.packageId ?? tool.tool, version: record.version });
}

import { fail } from '../../../errors/release-error.ts';
import { printReleaseRecord, type ReleaseRecord } from '../../../formats/release-record.ts';
import type { ModuleLicenses, Rendered, UnpackedExe } from '../../release.ts';
import type { Addresses } from '../../tool-file/payload-place.ts';
import type { Templates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { isPermissive } from './licenses.ts';
import { renderNuspec } from './nuspec.ts';
import { licenseIn, renderManifest } from './scoop.ts';
import { renderVerification } from './verification.ts';

export type RenderInputs = {
  readonly tool: Tool;
  readonly templates: Templates;
  readonly addresses: Addresses;
  readonly exes: readonly UnpackedExe[];
  /** From the release, otherwise from the template. */
  readonly licenseText?: string | undefined;
  readonly licenses?: ModuleLicenses | undefined;
  /** Upstream's release notes; in the package only if the tool's licence lets them be passed on. */
  readonly notesText?: string | undefined;
};

/**
 * All texts of a package and its manifest, from the record and the templates: release:verify renders them again and compares.
 * @throws ReleaseError TOOL_FILE_INVALID when neither upstream nor the templates have a licence text
 */
export async function renderRelease(record: ReleaseRecord, inputs: RenderInputs): Promise<Rendered> {
  const { tool, templates, addresses, exes } = inputs;
  const licenseText = inputs.licenseText ?? templates.license ?? failWithoutLicense(tool);
  const notesText = isPermissive(licenseIn(templates.manifest)) ? inputs.notesText : undefined;
  const version = { upstream: record.source.version, package: record.version };
  return {
    tool,
    packageVersion: record.version,
    record,
    recordText: printReleaseRecord(record),
    nuspecText: await renderNuspec(templates, tool, version, notesText),
    verificationText: renderVerification(tool, record),
    licenseText: `${licenseText.replace(/\r\n/g, '\n').trimEnd()}\n`,
    manifestText: renderManifest(templates.manifest, tool, record, addresses),
    exes,
    licenses: inputs.licenses,
  };
}

function failWithoutLicense({ tool }: Tool): never {
  return fail('TOOL_FILE_INVALID', {
    file: `${tool}.LICENSE.txt`,
    problems: 'the release has no licence text, and there is none beside the tool file or in nuspecs/',
  });
}

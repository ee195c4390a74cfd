import { readNuspec } from '../../formats/nuspec.ts';
import { fillNuspec } from '../build/render/nuspec.ts';
import { joinNotes, notesIn } from '../build/render/release-notes.ts';
import type { PublishedPackage } from '../published/package.ts';
import type { Templates } from '../tool-file/templates.ts';
import type { Tool } from '../tool-file/tools.ts';
import { type Check, skipped } from './check.ts';

/**
 * Upstream's release notes in a package. They are taken from the package itself when it is rendered again: upstream may have
 * edited them since, which does not make the release wrong.
 */
export async function publishedNotes(
  tool: Tool,
  { record, nuspecText }: PublishedPackage,
  templates: Templates,
): Promise<string | undefined> {
  const { releaseNotes } = await readNuspec(nuspecText);
  return notesIn(releaseNotes, await ownNotes(tool, { record }, templates));
}

/** Whether upstream still says the same; nothing where the package has no words of upstream's. */
export async function compareNotes(
  tool: Tool,
  published: PublishedPackage,
  templates: Templates,
  said: string | undefined,
): Promise<readonly Check[]> {
  if ((await publishedNotes(tool, published, templates)) === undefined) return [];
  const about = { what: 'notes', subject: published.record.source.upstream };
  if (said === undefined) {
    return [skipped(about, "There are no upstream notes here to compare with the package's.")];
  }
  const own = await ownNotes(tool, published, templates);
  const { releaseNotes } = await readNuspec(published.nuspecText);
  return releaseNotes === joinNotes(said, own)
    ? [{ ...about, verdict: 'passed', detail: "The package has upstream's release notes." }]
    : [
        skipped(
          about,
          "Upstream's release notes differ from the package's; upstream may edit them at any time.",
        ),
      ];
}

/** What the package would say without upstream's words. */
async function ownNotes(
  tool: Tool,
  { record }: Pick<PublishedPackage, 'record'>,
  templates: Templates,
): Promise<string | undefined> {
  const version = { upstream: record.source.version, package: record.version };
  return (await fillNuspec(templates, tool, version)).releaseNotes;
}

import { readNuspec } from '../../formats/nuspec.ts';
import { fillNuspec, joinNotes, notesIn } from '../build/render/nuspec.ts';
import { packagingOf } from '../build/render/packaging.ts';
import { rebasedLike } from '../build/render/rebase.ts';
import { renderRelease } from '../build/render/render.ts';
import type { PublishedPackage, PublishedPayload } from '../published/package.ts';
import type { Rendered } from '../release.ts';
import { loadTemplates, type Templates } from '../tool-file/templates.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Check, compare, passed, skipped } from './check.ts';
import { comparePackage } from './package.ts';
import type { RepeatRequest } from './request.ts';
import { repeatSbom } from './sbom.ts';
import type { UpstreamRepeated } from './upstream.ts';

/** What the branch and the feed have of one release. */
export type PublishedRelease = PublishedPackage & {
  readonly version: string;
  /** Undefined where the branch never offered it. */
  readonly manifestText: string | undefined;
};
type Published = PublishedRelease & { readonly payloads: readonly PublishedPayload[] };

export type RenderedAgain = {
  readonly checks: readonly Check[];
  readonly sbomText?: string | undefined;
  /** With upstream's current notes instead of the published ones; undefined if they are not known. */
  readonly nuspecAgain?: string | undefined;
};

/** Made again from upstream's files, if they came and the recipe is still the same; otherwise from the published record. */
export async function compareRendering(
  { tool, channel, isOfToday = false, isOffline = false }: RepeatRequest,
  published: Published,
  again: UpstreamRepeated['again'],
  toolkit: OpenToolkit,
): Promise<RenderedAgain> {
  const { endpoints, bucket } = toolkit;
  const templates = await loadTemplates(toolkit, tool);
  const packaging = packagingOf(tool, templates);
  const packer = (text: string): string => text.split(':', 1)[0] ?? '';
  const areSameTemplates = isOfToday || packaging === published.record.packaging;
  const isAgain = again !== undefined && areSameTemplates;
  const ownLicense = templates.license?.replace(/\r\n/g, '\n').trimEnd();
  const same = {
    isSamePacker: isOfToday || packer(packaging) === packer(published.record.packaging),
    areSameTemplates,
    isLicenseKnown: !isOffline || published.licenseText.trimEnd() === ownLicense,
  };
  // in the order of build/recipe.ts: upstream's, the one kept by hand, the module's
  const licenseText = isAgain
    ? (again.unpacked.licenseText ?? templates.license ?? again.unpacked.fetched.licenseText)
    : published.licenseText;
  const notes = await notesOf(tool, published, templates);
  const notesText = same.areSameTemplates ? notes.upstream : undefined;
  const renderWith = (words: string | undefined): Promise<Rendered> =>
    renderRelease(isAgain ? again.record : published.record, {
      ...{ tool, templates, addresses: endpoints.addresses, exes: [], licenseText, notesText: words },
    });
  const rendered = await renderWith(notesText);
  const said = isAgain ? again.unpacked.fetched.notesText : undefined;
  const nuspecAgain = isAgain ? (await renderWith(said)).nuspecText : undefined;
  const then = await placed(published, rendered.manifestText);
  const about = { what: 'manifest', subject: `${tool.tool}.json` };
  const manifestText = then.text ?? rendered.manifestText;
  const licensesAgain = again?.unpacked.fetched.licenses;
  const sbom = await repeatSbom(
    tool,
    { record: published.record, manifestText },
    published.payloads,
    same.isSamePacker,
    licensesAgain,
    toolkit,
  );
  return {
    sbomText: sbom.text,
    nuspecAgain,
    checks: [
      ...then.moves.map(({ from, to }) =>
        skipped(about, `Its addresses begin with ${from}, today's with ${to}: the rest is compared.`),
      ),
      ...(await comparePackage({ ...published, manifestText: then.text }, rendered, same, toolkit)),
      ...sbom.checks,
      ...compareNotes(published.record.source.upstream, notes, said),
      // a record that names another recipe would make later verifications compare less
      ...(isOfToday
        ? [compare(recipe, packaging, published.record.packaging, "It names today's recipe.")]
        : []),
    ],
  };

  /** The current manifest has today's addresses; one from before a rebase has older ones. */
  async function placed({ manifestText: text, version }: Published, like: string) {
    const isOffered = (await bucket.version(channel, tool.tool).catch(() => version)) === version;
    return text === undefined || isOffered ? { text, moves: [] } : rebasedLike(text, tool.tool, like);
  }
}

const recipe = { what: 'record', subject: 'its packaging' };

/**
 * The release notes of a package: all of them, upstream's words, its own. Upstream's are taken from the package itself when it is rendered
 * again: upstream may have edited them since, which does not make the release wrong.
 */
async function notesOf(tool: Tool, { record, nuspecText }: PublishedPackage, templates: Templates) {
  const version = { upstream: record.source.version, package: record.version };
  const { releaseNotes: own } = await fillNuspec(templates, tool, version);
  const { releaseNotes: all } = await readNuspec(nuspecText);
  return { all, own, upstream: notesIn(all, own) };
}

/** Whether upstream still says the same; nothing where the package has no words of upstream's. */
function compareNotes(
  subject: string,
  { all, own, upstream }: Awaited<ReturnType<typeof notesOf>>,
  said: string | undefined,
): readonly Check[] {
  if (upstream === undefined) return [];
  const about = { what: 'notes', subject };
  if (said === undefined) {
    return [skipped(about, "There are no upstream notes here to compare with the package's.")];
  }
  const differ = "Upstream's release notes differ from the package's; upstream may edit them at any time.";
  return all === joinNotes(said, own)
    ? [passed(about, "The package has upstream's release notes.")]
    : [skipped(about, differ)];
}

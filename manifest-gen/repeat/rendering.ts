import { packagingOf } from '../render/packaging.ts';
import { rebasedLike } from '../render/rebase.ts';
import { renderRelease } from '../render/render.ts';
import { loadTemplates } from '../render/templates.ts';
import { type Check, skipped } from './check.ts';
import type { HeldPackage } from './held.ts';
import { compareNotes, heldNotes } from './notes.ts';
import { comparePackage } from './package.ts';
import type { HeldPayload } from './payloads.ts';
import type { RepeatPlace, RepeatRequest } from './request.ts';
import { repeatSbom } from './sbom.ts';
import type { UpstreamRepeated } from './upstream.ts';

/** What the branch and the feed hold of one release. */
type Held = HeldPackage & {
  readonly version: string;
  readonly manifestText: string;
  readonly payloads: readonly HeldPayload[];
};

/** Made anew from what upstream gave, where it did and the recipe is still the same; else from the record that is held. */
export async function compareRendering(
  { tool, channel }: RepeatRequest,
  held: Held,
  { again }: UpstreamRepeated,
  place: RepeatPlace,
): Promise<readonly Check[]> {
  const { world, places, bucket, workDir } = place;
  const templates = await loadTemplates(world, tool);
  const packaging = packagingOf(tool, templates);
  const packer = (text: string): string => text.split(':', 1)[0] ?? '';
  const same = {
    isSamePacker: packer(packaging) === packer(held.record.packaging),
    areSameTemplates: packaging === held.record.packaging,
  };
  const isAgain = again !== undefined && same.areSameTemplates;
  // in the order of commands/steps.ts: upstream's, the one kept by hand, the module's
  const licenseText = isAgain
    ? (again.unpacked.licenseText ?? templates.license ?? again.unpacked.fetched.licenseText)
    : held.licenseText;
  const notesText = same.areSameTemplates ? await heldNotes(tool, held, templates) : undefined;
  const rendered = await renderRelease(isAgain ? again.record : held.record, {
    tool,
    templates,
    addresses: places.addresses,
    exes: [],
    notesText,
    ...(licenseText === undefined ? {} : { licenseText }),
  });
  const said = isAgain ? again.unpacked.fetched.notesText : undefined;
  // what is offered now names today's addresses; what came before a rebase names those of its day
  const isOffered = (await bucket.version(channel, tool.tool)) === held.version;
  const then = isOffered
    ? { text: held.manifestText, moves: [] }
    : rebasedLike(held.manifestText, tool.tool, rendered.manifestText);
  const about = { what: 'manifest', subject: `${tool.tool}.json` };
  return [
    ...then.moves.map(({ from, to }) =>
      skipped(about, `Its addresses begin with ${from}, those of today with ${to}: all else is compared.`),
    ),
    ...(await comparePackage({ ...held, manifestText: then.text }, rendered, same, workDir)),
    ...(await repeatSbom(
      tool,
      held,
      held.payloads,
      same.isSamePacker,
      again?.unpacked.fetched.licenses,
      place,
    )),
    ...(await compareNotes(tool, held, templates, said)),
  ];
}

import { parseScoopManifest, printScoopManifest } from '../../../formats/scoop-manifest.ts';
import type { Artifacts } from '../../build/artifacts.ts';
import { hasSameFiles } from '../../build/render/rebase.ts';
import { isBefore } from '../../plan/release-version.ts';
import { takenByRollouts } from '../../plan/rollout.ts';
import { holdRelease } from '../../publish/hold-release.ts';
import { publishRelease } from '../../publish/publish-release.ts';
import { withdrawalNote } from '../../published/bucket/withdrawal-note.ts';
import { readHeldManifest } from '../../published/feed/held.ts';
import { isOpen, knownRollouts, type Rollout } from '../../published/feed/rollouts.ts';
import { loadTemplates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';
import type { OpenToolkit } from '../../toolkit.ts';
import { packGood } from '../correction.ts';
import { type PlannedCorrection, planCorrection } from '../plan/rollout.ts';
import { readAgain } from '../run/with-feed.ts';

export type HeldCorrection = {
  readonly firstBeta: Artifacts;
  readonly stable: Artifacts;
  /** The same bytes under another number. */
  readonly as: (version: string) => Promise<Artifacts>;
  /** Upstream's version of them. */
  readonly bytesOf: string;
};

/** The last good bytes under the numbers of the correction. */
export async function buildHeldCorrection(
  tool: Tool,
  { good, firstBeta, stable }: PlannedCorrection,
  toolkit: OpenToolkit,
): Promise<HeldCorrection> {
  const templates = await loadTemplates(toolkit, tool);
  const packed = await packGood({ tool, templates, row: { to: stable } }, good, firstBeta, toolkit);
  const offered = await toolkit.bucket.manifest('main', tool.tool);
  const as = async (version: string): Promise<Artifacts> => {
    const made = await packed(version);
    return { ...made, manifestText: likeOffered(made.manifestText, offered) };
  };
  const bytesOf = good.record.source.version;
  return { as, bytesOf, firstBeta: await as(firstBeta), stable: await as(stable) };
}

/** What main offers, scripts and all, whatever the template says by now; version and addresses are the correction's. */
function likeOffered(text: string, offered: string | undefined): string {
  if (offered === undefined) return text;
  const { version, architecture, checkver, autoupdate } = parseScoopManifest(text);
  const own = { version, architecture, checkver, autoupdate };
  const manifest = { ...parseScoopManifest(offered), ...own };
  return printScoopManifest(parseScoopManifest(JSON.stringify(manifest)));
}

/** Uploads it, for nobody yet. @throws ReleaseError FEED_*, PLACE_* */
export async function holdCorrection(
  corrects: string,
  { firstBeta, stable, bytesOf }: HeldCorrection,
  toolkit: OpenToolkit,
): Promise<void> {
  const reason = noteOf(corrects, bytesOf);
  for (const made of [firstBeta, stable]) await holdRelease({ ...made, corrects, reason }, toolkit);
}

function noteOf(corrects: string, bytesOf: string): string {
  return withdrawalNote(corrects, 'its rollout was taken back', bytesOf);
}

/**
 * What a rollback gives is what main offers: after it changed, for each rollout that is open, and at once for the machines whose
 * version was taken back and that main has not passed yet.
 * @throws ReleaseError FEED_*, BUCKET_*, PROMOTION_UNPROVEN
 */
export async function renewCorrections(tool: Tool, toolkit: OpenToolkit): Promise<void> {
  const known = await knownRollouts(toolkit, tool.tool);
  const rollouts = known.filter((one) => isOpen(one) || isTakenBack(one));
  if (rollouts.length === 0) return;
  const again = await readAgain(toolkit);
  const main = await again.bucket.version('main', tool.tool);
  for (const rollout of rollouts) {
    const { version, correction = version } = rollout;
    if (main === undefined || !isBefore(main, correction)) continue;
    const planned = await planCorrection(tool, version, again, takenByRollouts(known));
    if (planned !== undefined) await renewCorrection(rollout, tool, planned, again);
  }
  toolkit.done.push(...again.done);
}

/** Whoever was admitted to a superseded one has its correction too, so its own count says nothing. */
function isTakenBack({ state, correction }: Rollout): boolean {
  return state === 'rolled-back' && correction !== undefined;
}

async function renewCorrection(
  rollout: Rollout,
  tool: Tool,
  planned: PlannedCorrection,
  toolkit: OpenToolkit,
): Promise<void> {
  const { version, correction } = rollout;
  const { feed, bucket } = toolkit;
  const prepared = correction && (await readHeldManifest(feed, tool.tool, correction));
  const offered = await bucket.manifest('main', tool.tool);
  // of another version of main, even with the same files: the server cannot know that
  const isOlder = rollout.waitsFor === 'correction';
  if (!isOlder && prepared && offered !== undefined && hasSameFiles(prepared.manifest, offered)) return;
  const made = await buildHeldCorrection(tool, planned, toolkit);
  if (isOpen(rollout)) return holdCorrection(version, made, toolkit);
  // its testers have the earlier correction already
  const reason = noteOf(version, made.bytesOf);
  await publishRelease({ ...made.firstBeta, to: ['beta'], keepsNewer: true, reason }, toolkit);
  await holdRelease({ ...made.stable, corrects: version, reason }, toolkit);
}

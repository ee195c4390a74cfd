import { ReleaseError } from '../../errors/release-error.ts';
import type { Artifacts } from '../build/artifacts.ts';
import { releaseMessage } from '../published/bucket/repository.ts';
import { pushPackage } from '../published/feed/client.ts';
import { discardHeld, listHeld, putHeldManifest } from '../published/feed/held.ts';
import { withRun } from '../published/feed/run-url.ts';
import { packageIdOf } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { publishPayloads } from './publish-release.ts';

/** A version that a rollout gives to machines, or takes it back with. */
export type HeldRelease = Artifacts & {
  /** The version whose rollout this one takes back. */
  readonly corrects?: string | undefined;
  /** Why, for the commit and the audit log. */
  readonly reason?: string | undefined;
};

/**
 * Uploads what is missing of a version that nobody sees yet: payloads, package, manifest. Other bytes or another manifest that an
 * interrupted run left under its number are discarded first; the server refuses that for those that a rollout needs.
 * @throws ReleaseError FEED_*, PLACE_*
 */
export async function holdRelease(release: HeldRelease, toolkit: OpenToolkit): Promise<void> {
  const { tool, version, nupkg } = release;
  const { feed, report } = toolkit;
  report.step(tool.tool, 'hold', version);
  const there = (await listHeld(feed, tool.tool)).find((one) => one.version === version);
  const isSame = there?.sha256 === nupkg.digest.sha256;
  if (there !== undefined && !isSame) await discardHeld(feed, tool.tool, version);
  try {
    await upload(release, isSame, toolkit);
  } catch (error) {
    // its manifest has the reason of an earlier run, or the addresses of an earlier PUBLIC_URL; or that run sent payloads alone
    const isOther = error instanceof ReleaseError && error.code === 'FEED_CONFLICT';
    const isFree = there === undefined || (isSame && there.hasManifest);
    if (!isOther || !isFree || !(await discardHeld(feed, tool.tool, version))) throw error;
    await upload(release, false, toolkit);
  }
}

async function upload(release: HeldRelease, isPackageThere: boolean, toolkit: OpenToolkit): Promise<void> {
  const { tool, version, nupkg, manifestText, corrects, reason } = release;
  const { feed, report, run, done } = toolkit;
  const id = packageIdOf(tool);
  await publishPayloads(release, toolkit);
  if (!isPackageThere) {
    const pkg = { id, version, ...nupkg, reason: withRun(reason, run), heldFor: tool.tool };
    await pushPackage(feed, pkg, (doneBytes) =>
      report.progress(tool.tool, 'push', doneBytes, pkg.digest.sizeBytes),
    );
    done.push(`package ${id} ${version}, held`);
  }
  const message = releaseMessage({ tool: tool.tool, version, note: reason });
  const manifest = { packageId: id, manifest: manifestText, message, corrects };
  await putHeldManifest(feed, tool.tool, version, manifest);
}

import { compareNuGetVersions, parseNuGetVersion } from '../formats/nuget-version.ts';
import { fail } from '../manifest-gen/errors.ts';
import { keepPayloads } from '../manifest-gen/publish/keep-files.ts';
import { publishManifest } from '../manifest-gen/publish/manifest.ts';
import { putPayload } from '../manifest-gen/publish/payload.ts';
import { requireKey } from '../manifest-gen/publish/require-key.ts';
import { requirePayload } from '../manifest-gen/publish/require-payloads.ts';
import { listVersions, pushPackage, waitForPackage } from '../manifest-gen/published/feed/client.ts';
import { isUpstreamPlace, payloadAddress } from '../manifest-gen/tool-file/payload-place.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { interrupted } from '../manifest-gen/verbs/run/run-each.ts';
import type { VerbToolkit } from '../manifest-gen/verbs/run/toolkit.ts';
import { withFeed } from '../manifest-gen/verbs/run/with-feed.ts';
import { nextShimsVersion, type ShimsChannel } from './next-version.ts';
import { launcherFile, packShims, renderShimsManifest, type ShimSet, shimsPackage } from './package.ts';

export type ShimsPublishing = {
  readonly dryRun?: boolean;
  /** Keeps the launcher in its `payloads`, in the layout that Scoop downloads from. */
  readonly outDir?: string | undefined;
};

/** The version that is (or would be) there now, and whether it is new. */
type Chosen = { readonly version: string; readonly isNew: boolean };

const tool = { tool: shimsPackage };

/**
 * Publishes the default set to feed and bucket: the launcher first, then the package, the manifest last. A dry run finds out the
 * version and ends there.
 * @throws ReleaseError USAGE, FEED_*, BUCKET_*; before anything is published SETTINGS_INVALID, FEED_KEY_*, and, where somebody
 *   else puts the launcher there, PAYLOAD_MISSING, OTHER_BYTES, PLACE_UNREACHABLE
 */
export function publishShims(
  toolkit: VerbToolkit,
  set: ShimSet,
  product: string,
  channel: ShimsChannel,
  { dryRun = false, outDir }: ShimsPublishing = {},
): Promise<Chosen> {
  return withFeed(toolkit, async (toolkit) => {
    requireOwnPlace(toolkit);
    const scope = channel === 'beta' ? 'push:beta' : 'push';
    if (!dryRun) await requireKey(toolkit, [{ tool, scopes: [scope] }]);
    const chosen = await chooseVersion(toolkit, set, product, channel);
    if (outDir !== undefined) {
      const { path, digest } = set.launcher;
      const payloads = [{ file: launcherFile, path, sha256: digest.sha256 }];
      await keepPayloads(outDir, { ...tool, version: chosen.version, payloads });
    }
    if (!dryRun) {
      const unfinished = new Set([`${shimsPackage} ${chosen.version}`]);
      await putInPlace(toolkit, set, chosen.version).catch((error: unknown) => {
        if (toolkit.signal.aborted) interrupted({ published: toolkit.done, unfinished }, error);
        throw error;
      });
    }
    return chosen;
  });
}

/** @throws ReleaseError SETTINGS_INVALID */
function requireOwnPlace({ endpoints }: OpenToolkit): void {
  if (!isUpstreamPlace(endpoints.addresses.payloadUrl)) return;
  const problem =
    "it names upstream's own files, and the launcher is not one; set another address for this verb";
  fail('SETTINGS_INVALID', { problems: `PAYLOAD_URL: ${problem}` });
}

async function chooseVersion(
  { feed, workDir }: OpenToolkit,
  set: ShimSet,
  product: string,
  channel: ShimsChannel,
): Promise<Chosen> {
  const there = await listVersions(feed, shimsPackage);
  const newest = there
    .flatMap(({ version, sha512, isListed }) => {
      const order = parseNuGetVersion(version);
      return order === undefined ? [] : [{ version, sha512, isListed, order }];
    })
    .sort((a, b) => compareNuGetVersions(b.order, a.order))[0];
  // the same set gives the same bytes, so that the hash alone tells
  const offered = newest && {
    ...newest,
    isSame: (await packShims(set, newest.version, workDir)).digest.sha512 === newest.sha512,
  };
  const next = nextShimsVersion(product, offered, channel);
  return { version: next ?? offered?.version ?? product, isNew: next !== undefined };
}

/** Can be run again after an interruption: nothing is sent twice. */
async function putInPlace(toolkit: OpenToolkit, set: ShimSet, version: string): Promise<void> {
  const { feed, endpoints, bucket, workDir, done } = toolkit;
  const { addresses } = endpoints;
  const { publicUrl } = addresses;
  const { path, digest } = await packShims(set, version, workDir);
  const payload = { tool, version, file: launcherFile, ...set.launcher };
  const url = payloadAddress(addresses, tool, version, launcherFile);
  const manifestText = renderShimsManifest(set, version, {
    url,
    anyVersion: payloadAddress(addresses, tool, '$version', launcherFile),
    home: publicUrl ?? new URL(feed.feedUrl).origin,
    checkver: publicUrl === undefined ? undefined : `${publicUrl}/m/${shimsPackage}.json`,
  });
  if (endpoints.isPut) {
    const outcome = await putPayload(feed, endpoints, payload, () => {});
    if (outcome === 'put') done.push(`payload ${shimsPackage}/${version}/${launcherFile}`);
  } else await requirePayload({ ...payload, ...tool, url, sha256: set.launcher.digest.sha256 }, toolkit);
  const outcome = await pushPackage(feed, { id: shimsPackage, version, path, digest }, () => {});
  if (outcome === 'pushed') done.push(`package ${shimsPackage} ${version}`);
  await waitForPackage(feed, shimsPackage, version, toolkit.signal);
  await publishManifest(bucket, {
    tool: shimsPackage,
    version,
    manifestText,
    branches: version.includes('-') ? ['beta'] : ['main', 'beta'],
  });
}

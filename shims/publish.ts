import { compareNuGetVersions, parseNuGetVersion } from '../formats/nuget-version.ts';
import type { Artifacts } from '../manifest-gen/build/artifacts.ts';
import { fail } from '../manifest-gen/errors.ts';
import { keepPayloads } from '../manifest-gen/publish/keep-files.ts';
import { publishRelease } from '../manifest-gen/publish/publish-release.ts';
import { requireKey } from '../manifest-gen/publish/require-key.ts';
import type { Report } from '../manifest-gen/system/report.ts';
import { isUpstreamPlace, payloadAddress } from '../manifest-gen/tool-file/payload-place.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { interrupted } from '../manifest-gen/verbs/run/run-each.ts';
import type { VerbToolkit } from '../manifest-gen/verbs/run/toolkit.ts';
import { withFeed } from '../manifest-gen/verbs/run/with-feed.ts';
import { nextShimsVersion, type ShimsChannel } from './next-version.ts';
import { launcherFile, packShims, renderShimsManifest, type ShimSet, shimsPackage } from './package.ts';

export type ShimsPublishing = {
  readonly dryRun?: boolean;
  /** Writes the launcher to its `payloads`, in the layout that Scoop downloads from. */
  readonly outDir?: string | undefined;
};

/** The version that exists afterwards, and whether it is new. */
type Chosen = { readonly version: string; readonly isNew: boolean };

const tool = { tool: shimsPackage };

/**
 * Publishes the default set to feed and bucket: first the launcher, then the package, last the manifest. A dry run ends after
 * choosing the version.
 * @throws ReleaseError USAGE, FEED_*, BUCKET_*; before anything is published SETTINGS_INVALID, FEED_KEY_*, and, where somebody
 *   else uploads the launcher, PAYLOAD_MISSING, OTHER_BYTES, PLACE_UNREACHABLE
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
    const { version } = chosen;
    const source = await artifactsOfShims(toolkit, set, version);
    if (outDir !== undefined) await keepPayloads(outDir, source);
    if (!dryRun) {
      const to = version.includes('-') ? (['beta'] as const) : (['main', 'beta'] as const);
      const unfinished = new Set([`${shimsPackage} ${version}`]);
      await publishRelease({ ...source, to }, inSilence(toolkit)).catch((error: unknown) => {
        if (toolkit.signal.aborted) interrupted({ published: toolkit.done, unfinished }, error);
        throw error;
      });
    }
    return chosen;
  });
}

/**
 * Without progress lines, since two small files are sent in a moment and one line reports them at the end. Missing files at a
 * foreign address are still reported.
 */
function inSilence(toolkit: OpenToolkit): OpenToolkit {
  const { report } = toolkit;
  const step: Report['step'] = (name, what, detail) => {
    if (detail !== undefined) report.step(name, what, detail);
  };
  return { ...toolkit, report: { ...report, step, progress: () => {} } };
}

/** @throws ReleaseError SETTINGS_INVALID */
function requireOwnPlace({ endpoints }: OpenToolkit): void {
  if (!isUpstreamPlace(endpoints.addresses.payloadUrl)) return;
  const problem =
    "it names upstream's own files, and the launcher is not one; set another address for this verb";
  fail('SETTINGS_INVALID', { problems: `PAYLOAD_URL: ${problem}` });
}

async function chooseVersion(
  { published, workDir }: OpenToolkit,
  set: ShimSet,
  product: string,
  channel: ShimsChannel,
): Promise<Chosen> {
  const there = await published.versions(tool);
  const newest = there
    .flatMap(({ version, sha512, isListed }) => {
      const order = parseNuGetVersion(version);
      return order === undefined ? [] : [{ version, sha512, isListed, order }];
    })
    .sort((a, b) => compareNuGetVersions(b.order, a.order))[0];
  // The same set gives the same bytes, so comparing the hash is enough.
  const offered = newest && {
    ...newest,
    isSame: (await packShims(set, newest.version, workDir)).digest.sha512 === newest.sha512,
  };
  const next = nextShimsVersion(product, offered, channel);
  return { version: next ?? offered?.version ?? product, isNew: next !== undefined };
}

/** The same files each time, so that an interrupted run can be completed by repeating it. */
async function artifactsOfShims(
  { feed, endpoints: { addresses }, workDir }: OpenToolkit,
  set: ShimSet,
  version: string,
): Promise<Artifacts> {
  const { publicUrl } = addresses;
  const { path, digest } = set.launcher;
  const url = payloadAddress(addresses.payloadUrl, tool, version, launcherFile);
  return {
    ...{ tool, version },
    nupkg: await packShims(set, version, workDir),
    manifestText: renderShimsManifest(set, version, {
      url,
      anyVersion: payloadAddress(addresses.payloadUrl, tool, '$version', launcherFile),
      home: publicUrl ?? new URL(feed.feedUrl).origin,
      checkver: publicUrl === undefined ? undefined : `${publicUrl}/m/${shimsPackage}.json`,
    }),
    expected: [{ file: launcherFile, url, sha256: digest.sha256 }],
    payloads: [{ file: launcherFile, path, digest }],
  };
}

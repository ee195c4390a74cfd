import { fail } from '../errors/release-error.ts';
import type { Digest } from '../formats/digest.ts';
import { compareNuGetVersions, parseNuGetVersion } from '../formats/nuget-version.ts';
import type { Artifacts } from '../manifest-gen/build/artifacts.ts';
import { keepPayloads } from '../manifest-gen/publish/keep-files.ts';
import { publishRelease } from '../manifest-gen/publish/publish-release.ts';
import { requireKey } from '../manifest-gen/publish/require-key.ts';
import { isUpstreamPlace, payloadAddress } from '../manifest-gen/tool-file/payload-place.ts';
import type { OpenToolkit } from '../manifest-gen/toolkit.ts';
import { interrupted } from '../manifest-gen/verbs/run/run-each.ts';
import type { VerbToolkit } from '../manifest-gen/verbs/run/toolkit.ts';
import { traceRun } from '../manifest-gen/verbs/run/trace-run.ts';
import { withFeed } from '../manifest-gen/verbs/run/with-feed.ts';
import type { Report } from '../system/report.ts';
import { nextOwnVersion, type OwnChannel, type OwnName } from './next-version.ts';

/** A package of this product: what goes to feed, /dl and bucket. The same parts give the same bytes everywhere. */
export type OwnPackage = OwnName & {
  readonly id: string;
  /** Writes ID.VERSION.nupkg into `dir`. */
  pack(version: string, dir: string): Promise<PackedPackage>;
  readonly payload: { readonly file: string; readonly path: string; readonly digest: Digest };
  /** The text of the Scoop manifest. */
  manifest(version: string, at: ManifestAddresses): string;
};
export type PackedPackage = { readonly path: string; readonly digest: Digest };
export type ManifestAddresses = {
  /** Of the payload. */
  readonly url: string;
  /** The same with Scoop's `$version`. */
  readonly anyVersion: string;
  readonly home: string;
  readonly checkver: string | undefined;
};

export type OwnPublishing = {
  readonly dryRun?: boolean;
  /** Writes the payload to its `payloads`, in the layout that Scoop downloads from. */
  readonly outDir?: string | undefined;
};

/** The version that exists afterwards, and whether it is new. */
type Chosen = { readonly version: string; readonly isNew: boolean };

/**
 * Publishes a package of this product to feed and bucket: first the payload, then the package, last the manifest. A dry run ends
 * after choosing the version.
 * @throws ReleaseError USAGE, FEED_*, BUCKET_*; before anything is published SETTINGS_INVALID, FEED_KEY_*, and, where somebody
 *   else uploads the payload, PAYLOAD_MISSING, OTHER_BYTES, PLACE_UNREACHABLE
 */
export function publishOwn(
  toolkit: VerbToolkit,
  own: OwnPackage,
  product: string,
  channel: OwnChannel,
  { dryRun = false, outDir }: OwnPublishing = {},
): Promise<Chosen> {
  const tool = { tool: own.id };
  const publishing = (): Promise<Chosen> =>
    withFeed(toolkit, async (toolkit) => {
      requireOwnPlace(toolkit, own);
      const scope = channel === 'beta' ? 'push:beta' : 'push';
      if (!dryRun) await requireKey(toolkit, [{ tool, scopes: [scope] }]);
      const chosen = await chooseVersion(toolkit, own, product, channel);
      const { version } = chosen;
      const source = await artifactsOf(toolkit, own, version);
      if (outDir !== undefined) await keepPayloads(outDir, source);
      if (!dryRun) {
        const to = version.includes('-') ? (['beta'] as const) : (['main', 'beta'] as const);
        const unfinished = new Set([`${own.id} ${version}`]);
        await publishRelease({ ...source, to }, inSilence(toolkit)).catch((error: unknown) => {
          if (toolkit.signal.aborted) interrupted({ published: toolkit.done, unfinished }, error);
          throw error;
        });
      }
      return chosen;
    });
  return traceRun(toolkit, `publish ${own.id}`, publishing);
}

/** What a verb prints at its end. */
export function outcomeLine(
  { id }: OwnPackage,
  { version, isNew }: Chosen,
  channel: OwnChannel,
  dryRun: boolean,
): string {
  const done = dryRun ? `would be published to ${channel}` : `published to ${channel}`;
  return `${id} ${version}: ${isNew ? done : 'already published'}\n`;
}

/**
 * Without progress lines, since few files are sent in a moment and one line reports them at the end. Missing files at a
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
function requireOwnPlace({ endpoints }: OpenToolkit, { payload }: OwnPackage): void {
  if (!isUpstreamPlace(endpoints.addresses.payloadUrl)) return;
  const problem = `it names upstream's own files, and ${payload.file} is not one; set another address for this verb`;
  fail('SETTINGS_INVALID', { problems: `PAYLOAD_URL: ${problem}` });
}

async function chooseVersion(
  { published, workDir }: OpenToolkit,
  own: OwnPackage,
  product: string,
  channel: OwnChannel,
): Promise<Chosen> {
  const there = await published.versions({ tool: own.id });
  const newest = there
    .flatMap(({ version, sha512, isListed }) => {
      const order = parseNuGetVersion(version);
      return order === undefined ? [] : [{ version, sha512, isListed, order }];
    })
    .sort((a, b) => compareNuGetVersions(b.order, a.order))[0];
  // The same parts give the same bytes, so comparing the hash is enough.
  const offered = newest && {
    ...newest,
    isSame: (await own.pack(newest.version, workDir)).digest.sha512 === newest.sha512,
  };
  const next = nextOwnVersion(product, offered, channel, own);
  return { version: next ?? offered?.version ?? product, isNew: next !== undefined };
}

/** The same files each time, so that an interrupted run can be completed by repeating it. */
async function artifactsOf(
  { feed, endpoints: { addresses }, workDir }: OpenToolkit,
  { id, payload, pack, manifest }: OwnPackage,
  version: string,
): Promise<Artifacts> {
  const { publicUrl, payloadUrl } = addresses;
  const tool = { tool: id };
  const url = payloadAddress(payloadUrl, tool, version, payload.file);
  return {
    ...{ tool, version },
    nupkg: await pack(version, workDir),
    manifestText: manifest(version, {
      url,
      anyVersion: payloadAddress(payloadUrl, tool, '$version', payload.file),
      home: publicUrl ?? new URL(feed.feedUrl).origin,
      checkver: publicUrl === undefined ? undefined : `${publicUrl}/m/${id}.json`,
    }),
    expected: [{ file: payload.file, url, sha256: payload.digest.sha256 }],
    payloads: [payload],
  };
}

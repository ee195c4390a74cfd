import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../../errors/release-error.ts';
import { digestBytes, digestFile } from '../../formats/digest.ts';
import { FormatError } from '../../formats/format-error.ts';
import type { Artifacts } from '../build/artifacts.ts';
import type { Channel } from '../published/bucket/repository.ts';
import { pushPackage, waitForPackage } from '../published/feed/client.ts';
import { withRun } from '../published/feed/run-url.ts';
import { isUpstreamPlace } from '../tool-file/payload-place.ts';
import { packageIdOf } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { publishManifest } from './manifest.ts';
import { putPayload, requireFile } from './payload.ts';

/** One version on its way to the clients: a beta, a promotion, a correction, the shims. */
export type Publication = Artifacts & {
  /** The branches that offer it then; the first must take it. */
  readonly to: readonly [Channel, ...Channel[]];
  /** The first branch may be ahead, too, and stays there. */
  readonly keepsNewer?: boolean;
  /** Why, for the commit and the audit log. */
  readonly reason?: string | undefined;
};

/**
 * Publishes what is still missing: payloads, since a manifest promises them; the package; the manifest last. What feed and bucket
 * have already stays and is not sent again, so that whatever was interrupted is finished by the same call.
 * @throws ReleaseError FEED_*, BUCKET_*, PLACE_*; PAYLOAD_MISSING and OTHER_BYTES where somebody else puts the payloads in their place
 */
export async function publishRelease(publication: Publication, toolkit: OpenToolkit): Promise<void> {
  const steps = { payloads: publishPayloads, push: publishPackage, commit: commitManifest };
  for (const [name, step] of Object.entries(steps)) {
    toolkit.report.step(publication.tool.tool, name);
    await step(publication, toolkit);
  }
}

/** Same errors, for what the places of files say. */
export async function publishPayloads(publication: Artifacts, toolkit: OpenToolkit): Promise<void> {
  const { payloads, sbom, expected } = publication;
  if (!toolkit.endpoints.isPut) {
    for (const file of expected) await requirePayload(publication, file, toolkit);
    return;
  }
  for (const payload of payloads) await publishPayload(publication, payload, toolkit);
  if (sbom !== undefined) await publishSbom(publication, sbom, toolkit);
}

async function publishPayload(
  { tool, version }: Artifacts,
  payload: Artifacts['payloads'][number],
  { feed, endpoints, report, done }: OpenToolkit,
): Promise<void> {
  const { file, digest } = payload;
  const outcome = await putPayload(feed, endpoints, { tool, version, ...payload }, (doneBytes) =>
    report.progress(tool.tool, `upload ${file}`, doneBytes, digest.sizeBytes),
  );
  if (outcome === 'put') done.push(`payload ${tool.tool}/${version}/${file}`);
}

/**
 * An interrupted run of an older go-win-tools may have left another rendering there. It stays: a published file is never
 * replaced, and a description must not block the release.
 */
async function publishSbom(
  publication: Artifacts,
  { file, text: render }: NonNullable<Artifacts['sbom']>,
  toolkit: OpenToolkit,
): Promise<void> {
  const text = await render();
  const path = join(toolkit.workDir, file);
  await writeFile(path, text);
  try {
    await publishPayload(publication, { file, path, digest: digestBytes(Buffer.from(text)) }, toolkit);
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== 'FEED_CONFLICT') throw error;
    toolkit.report.warn(publication.tool.tool, `${error.message} The existing one stays.`);
  }
}

/** Where we upload nothing (PAYLOAD_PUT=false), each file must be there, with the bytes that the manifest promises. */
async function requirePayload(
  { tool: { tool }, version }: Artifacts,
  expected: Artifacts['expected'][number],
  { feed, endpoints, report }: OpenToolkit,
): Promise<void> {
  const { url } = expected;
  report.step(tool, 'look', url);
  const isOurs = !isUpstreamPlace(endpoints.addresses.payloadUrl);
  if (await requireFile(feed, { tool, version, ...expected }, isOurs)) return;
  const why = `${url}.sha256 does not exist: for older versions Scoop accepts any bytes`;
  report.warn(tool, why);
}

async function publishPackage(publication: Publication, toolkit: OpenToolkit): Promise<void> {
  const { tool, version, nupkg, reason } = publication;
  const { feed, report, run, signal, done } = toolkit;
  if (await isOnFeed(publication, toolkit)) return;
  const id = packageIdOf(tool);
  const pkg = { id, version, ...nupkg, reason: withRun(reason, run) };
  const outcome = await pushPackage(feed, pkg, (doneBytes) =>
    report.progress(tool.tool, 'push', doneBytes, pkg.digest.sizeBytes),
  );
  if (outcome === 'pushed') done.push(`package ${id} ${version}`);
  await waitForPackage(feed, id, version, signal);
}

/** Whether the feed has exactly these bytes. One that does not announce a hash is asked for them. */
async function isOnFeed(
  { tool, version, nupkg: { digest } }: Publication,
  { published }: OpenToolkit,
): Promise<boolean> {
  const there = (await published.versions(tool)).find((one) => one.version === version);
  if (there?.sha512 !== undefined) return there.sha512 === digest.sha512;
  const released = there && (await published.release(tool, version).catch(unlessNoPackage));
  return released !== undefined && (await digestFile(released.nupkgPath)).sha256 === digest.sha256;
}

/** Other bytes, whatever they are: the push meets them as such. */
function unlessNoPackage(error: unknown): undefined {
  if (!(error instanceof FormatError)) throw error;
}

async function commitManifest(publication: Publication, { bucket, done }: OpenToolkit): Promise<void> {
  const { tool, version, manifestText, to, keepsNewer, reason } = publication;
  const change = { tool: tool.tool, version, manifestText, note: reason, branches: to, keepsNewer };
  if ((await publishManifest(bucket, change)) === 'same') return;
  const branches = to.length === 1 ? `branch ${to[0]}` : `branches ${to.join(' and ')}`;
  done.push(`manifest ${tool.tool} ${version} on ${branches}`);
}

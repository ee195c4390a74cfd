import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestBytes } from '../../formats/digest.ts';
import { fail, ReleaseError } from '../errors.ts';
import { readReleaseVersion } from '../plan/release-version.ts';
import { releasedAs } from '../plan/reused-bytes.ts';
import { publishManifest } from '../publish/manifest.ts';
import { type PayloadFile, putPayload } from '../publish/payload.ts';
import { requirePayloads } from '../publish/require-payloads.ts';
import { pushPackage, waitForPackage } from '../published/feed/client.ts';
import { scanOffered } from '../published/scan.ts';
import type { Fetched, Packed, Rendered, Unpacked, Verdict } from '../release.ts';
import { has, orNameOthers } from '../sources/find-source.ts';
import { withRun } from '../system/run-url.ts';
import { payloadFile } from '../tool-file/payload-file.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { unpack as unpackAssets } from '../unpack/unpack.ts';
import type { Resolved } from '../verbs/resolve/beta.ts';
import { demandOn } from '../verify/demand.ts';
import { readPrograms } from '../verify/programs.ts';
import { requireTrust } from '../verify/verdict.ts';
import { verifyFetched, verifyUnpacked } from '../verify/verify.ts';
import { compareScans, describeChange } from '../vulnerabilities/change.ts';
import { packNupkg } from './pack/nupkg-writer.ts';
import { renderRecord } from './render/release-record.ts';
import { renderRelease } from './render/render.ts';
import { renderSbom, sbomFile } from './render/sbom.ts';

/** All that the steps before rendering need: no feed, no bucket, so that a bundle is made by them too. */
export type Chosen = Pick<Resolved, 'tool' | 'found'>;
type Local = Pick<OpenToolkit, 'upstreams' | 'report' | 'cache'>;

/** Downloads, or builds from the module; what the cache has is not fetched again. */
export async function fetch({ found }: Chosen, toolkit: Local): Promise<{ fetched: Fetched }> {
  const { tool, kind, version } = found;
  const upstream = toolkit.upstreams[kind];
  const others = tool.sources
    .map((source) => toolkit.upstreams[source.kind])
    .filter((one) => one !== upstream);
  const fetched = await orNameOthers(
    others,
    () => upstream.fetch(found, toolkit.report),
    (other) => has(other, tool, version),
  );
  return { fetched };
}

/** What is already known to be wrong is not unpacked. @throws ReleaseError REFUSED */
export async function verify(
  { found, fetched }: Chosen & { fetched: Fetched },
  _: Local,
): Promise<{ upstreamVerdicts: readonly Verdict[] }> {
  const upstreamVerdicts = await verifyFetched(fetched);
  requireTrust(found.tool.tool, found.version, upstreamVerdicts, []);
  return { upstreamVerdicts };
}

export async function unpack(
  { fetched }: { fetched: Fetched },
  toolkit: Local,
): Promise<{ unpacked: Unpacked }> {
  return { unpacked: await unpackAssets(fetched, toolkit.cache) };
}

/** Inspects the programs themselves. */
export async function inspect(
  { unpacked, upstreamVerdicts }: { unpacked: Unpacked; upstreamVerdicts: readonly Verdict[] },
  _: Local,
): Promise<{ verdicts: readonly Verdict[] }> {
  return { verdicts: [...upstreamVerdicts, ...(await verifyUnpacked(unpacked))] };
}

/** @throws ReleaseError REFUSED when something failed, or required evidence is missing */
export async function judge(
  { tool, found, unpacked, verdicts }: Chosen & { unpacked: Unpacked; verdicts: readonly Verdict[] },
  toolkit: Local,
): Promise<object> {
  requireTrust(tool.tool, found.version, verdicts, demandOn(unpacked.fetched));
  // there may be several of one kind: the signature of a registry, and its attestation of a build
  const told = new Map(
    verdicts.map(({ kind, verdict, subject }) => [
      `${verdict} ${kind} ${subject}`,
      { kind, verdict, subject },
    ]),
  );
  for (const { kind, verdict, subject } of told.values())
    toolkit.report.step(tool.tool, verdict, `${kind} of ${subject}`);
  return {};
}

/** Of all exes, now that they are here. @throws ReleaseError REFUSED for another version's, VULNERABLE by the policy, VULN_DB_* */
export async function scan(
  { tool, found, version, unpacked }: Resolved & { unpacked: Unpacked },
  toolkit: OpenToolkit,
): Promise<object> {
  // a withdrawal goes back to an older version on purpose
  if (readReleaseVersion(version)?.upstream === found.version)
    await requireOwnBytes(found, unpacked, toolkit);
  if (toolkit.scanner === undefined) {
    toolkit.report.step(tool.tool, 'skipped', 'scan: VULN_DB is not set');
    return {};
  }
  const scan = await toolkit.scanner.scan(await readPrograms(unpacked.exes), tool, found.version);
  const change = compareScans('exe', await scanOffered('main', tool, toolkit), scan);
  const count = scan.findings.length;
  const known = count === 1 ? '1 known vulnerability' : `${count} known vulnerabilities`;
  const detail = `${known}; against main: ${describeChange(change)}`;
  toolkit.report.step(tool.tool, 'known', detail);
  toolkit.scanner.require(scan, tool.tool, version);
  return {};
}

async function requireOwnBytes(
  { tool, version }: Resolved['found'],
  { exes }: Unpacked,
  { bucket }: OpenToolkit,
): Promise<void> {
  const released = await bucket.promises(tool.tool);
  for (const { asset, digest } of exes) {
    const hashes = [digest.sha256, asset.digest.sha256];
    const before = hashes.map((sha256) => releasedAs(sha256, version, released)).find(Boolean);
    if (before === undefined) continue;
    const about = { tool: tool.tool, version, file: asset.name };
    fail('REFUSED', {
      ...about,
      expected: 'bytes that no other version has',
      found: `bytes that were released as ${before}`,
    });
  }
}

export async function render(
  state: Resolved & { unpacked: Unpacked; verdicts: readonly Verdict[] },
  { endpoints }: OpenToolkit,
): Promise<{ rendered: Rendered }> {
  const { tool, templates, unpacked, verdicts, version, packaging } = state;
  const record = renderRecord(unpacked, verdicts, version, packaging);
  const { exes } = unpacked;
  // a text kept by hand is preferred to the module's, since a person has checked it
  const licenseText =
    unpacked.licenseText ?? (templates.license === undefined ? unpacked.fetched.licenseText : undefined);
  const { licenses, notesText } = unpacked.fetched;
  const inputs = { tool, templates, addresses: endpoints.addresses, exes, notesText };
  const rendered = await renderRelease(
    record,
    licenseText === undefined ? inputs : { ...inputs, licenseText },
  );
  return { rendered: licenses === undefined ? rendered : { ...rendered, licenses } };
}

export async function pack(
  { rendered }: { rendered: Rendered },
  toolkit: OpenToolkit,
): Promise<{ packed: Packed }> {
  const { workDir } = toolkit;
  return { packed: await packNupkg(rendered, workDir, toolkit.signal) };
}

/** First of all, since a manifest promises them. */
export async function payloads({ packed }: { packed: Packed }, toolkit: OpenToolkit): Promise<object> {
  const { tool, packageVersion: version, exes, record } = packed.rendered;
  if (!toolkit.endpoints.isPut) {
    await requirePayloads(tool, record, toolkit);
    return {};
  }
  for (const { architecture, path, digest } of exes) {
    await putOne({ tool, version, file: payloadFile(tool, architecture), path, digest }, toolkit);
  }
  await putSbom(packed.rendered, toolkit);
  return {};
}

async function putOne(payload: PayloadFile, toolkit: OpenToolkit): Promise<void> {
  const { tool, version, file, digest } = payload;
  const outcome = await putPayload(toolkit.feed, toolkit.endpoints, payload, (doneBytes) =>
    toolkit.report.progress(tool.tool, `upload ${file}`, doneBytes, digest.sizeBytes),
  );
  if (outcome === 'put') toolkit.done.push(`payload ${tool.tool}/${version}/${file}`);
}

/**
 * An interrupted run of an older go-win-tools may have left another rendering there. It stays: a published file is never
 * replaced, and a description must not block the release.
 */
async function putSbom(rendered: Rendered, toolkit: OpenToolkit): Promise<void> {
  const { tool, packageVersion: version, exes } = rendered;
  const file = sbomFile(tool.tool);
  const text = rendered.sbomText ?? renderSbom(rendered, await readPrograms(exes));
  const path = join(toolkit.workDir, file);
  await writeFile(path, text);
  try {
    await putOne({ tool, version, file, path, digest: digestBytes(Buffer.from(text)) }, toolkit);
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== 'FEED_CONFLICT') throw error;
    toolkit.report.warn(tool.tool, `${error.message} The existing one stays.`);
  }
}

/** `reason` is for the audit log. */
export async function push(
  { packed, reason }: { packed: Packed; reason?: string | undefined },
  toolkit: OpenToolkit,
): Promise<object> {
  const { tool, packageVersion: version } = packed.rendered;
  const id = tool.packageId ?? tool.tool;
  const why = withRun(reason, toolkit.run);
  const pkg = { id, version, path: packed.nupkgPath, digest: packed.nupkgDigest, reason: why };
  const outcome = await pushPackage(toolkit.feed, pkg, (doneBytes) =>
    toolkit.report.progress(tool.tool, 'push', doneBytes, pkg.digest.sizeBytes),
  );
  if (outcome === 'pushed') toolkit.done.push(`package ${id} ${version}`);
  await waitForPackage(toolkit.feed, id, version, toolkit.signal);
  return {};
}

/** Last of all, so that a manifest never names a missing file. */
export async function commit({ packed }: { packed: Packed }, toolkit: OpenToolkit): Promise<object> {
  const { tool, packageVersion: version, manifestText } = packed.rendered;
  await publishManifest(toolkit.bucket, { tool: tool.tool, version, manifestText, branches: ['beta'] });
  toolkit.done.push(`manifest ${tool.tool} ${version} on branch beta`);
  return {};
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createDigester, type Digest } from '../../formats/digest.ts';
import { type Nupkg, openNupkg } from '../../formats/nupkg.ts';
import { writeNuspec } from '../../formats/nuspec.ts';
import { printReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import { fail } from '../errors.ts';
import { packNupkg } from '../pack/nupkg-writer.ts';
import { exeName } from '../payload-file.ts';
import { downloadFile } from '../publish/feed-client.ts';
import type { FeedHttp } from '../publish/feed-http.ts';
import type { Places } from '../publish/server-info.ts';
import type { Packed, UnpackedExe } from '../release.ts';
import { isUpstreamPlace, payloadAddress } from '../render/payload-place.ts';
import { sbomFile } from '../render/sbom.ts';
import { renderManifest } from '../render/scoop.ts';
import type { Tool } from '../tools.ts';
import { pipeToFile } from '../whole-file.ts';

export type PromotionInputs = {
  readonly tool: Tool;
  /** The beta's. */
  readonly record: ReleaseRecord;
  readonly nupkgPath: string;
  readonly stable: string;
  readonly manifestTemplate: string;
  readonly feed: FeedHttp;
  readonly places: Places;
  readonly workDir: string;
  readonly signal: AbortSignal;
};

type RecordedPayload = ReleaseRecord['payloads'][number];
const maxTextBytes = 4 * 1024 * 1024;

/**
 * The beta's package under the stable version. What was tested is what ships: everything comes from the beta itself,
 * every exe must have the recorded hash, and only the version changes.
 * @throws ReleaseError OTHER_BYTES when the feed gives other bytes than the beta's record says
 */
export async function repack(inputs: PromotionInputs): Promise<Packed> {
  const { tool, stable, workDir, places } = inputs;
  const record = { ...inputs.record, version: stable };
  const nupkg = await openNupkg(inputs.nupkgPath);
  try {
    const exes: UnpackedExe[] = [];
    for (const payload of payloadsToTake(inputs, record)) {
      const path = join(workDir, payload.file);
      const digest =
        payload.architecture === 'amd64'
          ? await saveStream(await nupkg.openEntry(`tools/${exeName(tool)}`), path)
          : await savePayload(inputs, payload, path);
      exes.push(checkedExe(inputs, payload, path, digest));
    }
    const rendered = {
      tool,
      packageVersion: stable,
      record,
      recordText: printReleaseRecord(record),
      nuspecText: writeNuspec({ ...nupkg.nuspec, version: stable }),
      verificationText: await readText(nupkg, 'tools/VERIFICATION.txt'),
      licenseText: await readText(nupkg, 'tools/LICENSE.txt'),
      manifestText: renderManifest(inputs.manifestTemplate, tool, record, places.addresses),
      exes,
      ...(await carriedSbom(inputs)),
    };
    return await packNupkg(rendered, workDir, inputs.signal);
  } finally {
    await nupkg.close();
  }
}

/**
 * The SBOM beside the exes says the same of them under any version, and knows licences that only whoever built them could read. One that
 * is not there is made anew.
 */
async function carriedSbom(inputs: PromotionInputs): Promise<{ sbomText?: string }> {
  const { tool, record, feed, places, workDir } = inputs;
  if (!places.isPut) return {};
  const file = sbomFile(tool.tool);
  const path = join(workDir, `${record.version}.${file}`);
  const address = { payloadUrl: places.payloadPutUrl };
  const digest = await downloadFile(feed, payloadAddress(address, tool, record.version, file), path);
  if (digest === undefined || digest.sizeBytes > maxTextBytes) return {};
  return { sbomText: await readFile(path, 'utf8') };
}

/** Upstream's own files stay where they are, so only the package needs its exe. */
function payloadsToTake(
  { places }: PromotionInputs,
  { payloads }: ReleaseRecord,
): readonly RecordedPayload[] {
  return isUpstreamPlace(places.payloadPutUrl)
    ? payloads.filter(({ architecture }) => architecture === 'amd64')
    : payloads;
}

async function saveStream(source: Readable, path: string): Promise<Digest> {
  const digester = createDigester();
  await pipeToFile(path, [source, digester]);
  return digester.digest();
}

/** The package holds the amd64 exe only; others lie where Scoop gets them. */
async function savePayload(
  { tool, record, feed, places }: PromotionInputs,
  { file, sha256 }: RecordedPayload,
  path: string,
): Promise<Digest> {
  const url = payloadAddress(
    { ...places.addresses, payloadUrl: places.payloadPutUrl },
    tool,
    record.version,
    file,
  );
  const digest = await downloadFile(feed, url, path);
  return (
    digest ??
    fail('NOTHING_PUBLISHED_HERE', {
      tool: tool.tool,
      problem: `the payload ${url} is not there`,
      hint: `Put it there again (SHA-256 ${sha256}), then run this again.`,
    })
  );
}

function checkedExe(
  { tool, record }: PromotionInputs,
  { architecture, file, sha256, size }: RecordedPayload,
  path: string,
  digest: Digest,
): UnpackedExe {
  if (digest.sha256 !== sha256 || digest.sizeBytes !== size) {
    fail('OTHER_BYTES', {
      tool: tool.tool,
      version: record.version,
      file,
      expected: `SHA-256 ${sha256} as recorded`,
      found: digest.sha256,
    });
  }
  return { asset: { architecture, name: file, path, digest }, architecture, path, digest };
}

async function readText(nupkg: Nupkg, name: string): Promise<string> {
  return (await nupkg.readEntry(name, maxTextBytes)).toString('utf8');
}

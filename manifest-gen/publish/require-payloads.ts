import { digestBytes } from '../../formats/digest.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import type { Rendered } from '../release.ts';
import { payloadFile } from '../tool-file/payload-file.ts';
import { isUpstreamPlace, placePayload } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { readPrograms } from '../verify/programs.ts';
import type { KeptFiles } from './keep-files.ts';
import { type PromisedFile, requireFile } from './payload-check.ts';

/**
 * Where we upload nothing (PAYLOAD_PUT=false), each file that the manifest will name must be there, with the bytes that it promises.
 * @throws ReleaseError PAYLOAD_MISSING, OTHER_BYTES for other bytes, PLACE_UNREACHABLE
 */
export async function requirePayloads(
  tool: Tool,
  record: ReleaseRecord,
  toolkit: OpenToolkit,
): Promise<void> {
  for (const payload of record.payloads) {
    const { url, sha256 } = placePayload(toolkit.endpoints.addresses.payloadUrl, tool, record, payload);
    const file = payload.asset?.sha256 === sha256 ? payload.asset.name : payload.file;
    await requirePayload({ tool: tool.tool, version: record.version, url, file, sha256 }, toolkit);
  }
}

/** One of them. Same errors. */
export async function requirePayload(promised: PromisedFile, toolkit: OpenToolkit): Promise<void> {
  const { feed, endpoints } = toolkit;
  const { tool, url } = promised;
  toolkit.report.step(tool, 'look', url);
  const isHashBeside = await requireFile(feed, promised, !isUpstreamPlace(endpoints.addresses.payloadUrl));
  if (isHashBeside) return;
  const why = `${url}.sha256 does not exist: for older versions Scoop accepts any bytes`;
  toolkit.report.warn(tool, why);
}

/** For `--out`, if somebody else uploads them to where Scoop downloads. Not for upstream's own files. */
export async function payloadsToKeep(
  rendered: Rendered,
  endpoints: Endpoints,
): Promise<NonNullable<KeptFiles['payloads']>> {
  if (endpoints.isPut || isUpstreamPlace(endpoints.payloadPutUrl)) return [];
  // only here: its library is a part of the start of every verb otherwise
  const { renderSbom, sbomFile } = await import('../build/render/sbom.ts');
  const { tool, exes } = rendered;
  const text = renderSbom(rendered, await readPrograms(exes));
  return [
    ...exes.map(({ architecture, path, digest }) => ({
      file: payloadFile(tool, architecture),
      path,
      sha256: digest.sha256,
    })),
    { file: sbomFile(tool.tool), text, sha256: digestBytes(Buffer.from(text)).sha256 },
  ];
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { licensesIn, renderSbom, sbomFile } from '../build/render/sbom.ts';
import { ReleaseError } from '../errors.ts';
import { downloadFile } from '../published/feed/client.ts';
import type { FeedHttp } from '../published/feed/http.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import type { ModuleLicenses } from '../release.ts';
import { payloadAddress } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import { readPrograms } from '../verify/programs.ts';
import { type Check, compareTexts, failed, skipped, unreachable } from './check.ts';
import { checkSha256File, type PublishedPayload } from './payloads.ts';

type SbomPlace = { readonly feed: FeedHttp; readonly endpoints: Endpoints; readonly workDir: string };
type Published = { readonly record: ReleaseRecord; readonly manifestText: string };
export type RepeatedSbom = {
  readonly checks: readonly Check[];
  /** As it lies there; undefined where there is none, or none that was compared. */
  readonly text?: string;
};

/** An exe of a thousand modules has one of some hundred KB. */
const maxSbomBytes = 64 * 1024 * 1024;

/**
 * The list of what the exes are made of, rendered anew from the exes that clients download: the same exes make the same list.
 * @param isSamePacker another go-win-tools than that of today renders another list, rightly
 * @param licensesAgain as the modules' own files say, where it was built again. Else a list of what was built here keeps those that it
 * has: who builds reads them, and without the modules nobody can
 */
export async function repeatSbom(
  tool: Tool,
  { record, manifestText }: Published,
  payloads: readonly PublishedPayload[],
  isSamePacker: boolean,
  licensesAgain: ModuleLicenses | undefined,
  { feed, endpoints, workDir }: SbomPlace,
): Promise<RepeatedSbom> {
  const about = { what: 'sbom', subject: sbomFile(tool.tool) };
  const areRecorded = record.payloads.every(({ architecture, sha256 }) =>
    payloads.some(
      (published) => published.architecture === architecture && published.digest.sha256 === sha256,
    ),
  );
  // upstream's own place has no list of ours; of other exes than those of the record it would say nothing new
  if (!areRecorded) return { checks: [] };
  if (!isSamePacker) return { checks: [skipped(about, 'It was made by another recipe than that of today.')] };
  const addresses = { ...endpoints.addresses, payloadUrl: endpoints.payloadPutUrl };
  const url = payloadAddress(addresses, tool, record.version, about.subject);
  try {
    const path = join(workDir, about.subject);
    const digest = await downloadFile(feed, url, path, maxSbomBytes);
    if (digest === undefined)
      return {
        checks: [
          endpoints.isOwnPayloadPlace
            ? failed(about, `a file at ${url}`, 'none')
            : skipped(about, 'There is none.'),
        ],
      };
    const found = await readFile(path, 'utf8');
    const isKept = record.builtBy === 'feed' && licensesAgain === undefined;
    const licenses = isKept ? licensesIn(found) : (licensesAgain ?? {});
    const again = renderSbom({ tool, record, manifestText, licenses }, await readPrograms(payloads));
    const kept = isKept ? ', but for the licences, which --rebuild reads again' : '';
    const checks = [
      compareTexts(about, again, found, `Rendered anew from the exes it is the same${kept}.`),
      // elsewhere nobody needs one: Scoop does not download the list
      ...(endpoints.isOwnPayloadPlace
        ? [await checkSha256File({ file: about.subject, sha256: digest.sha256 }, url, feed)]
        : []),
    ];
    return { checks, text: found };
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== 'PLACE_UNREACHABLE') throw error;
    return { checks: [unreachable(about, error.message)] };
  }
}

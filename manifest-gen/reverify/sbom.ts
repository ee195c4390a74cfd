import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPrograms } from '../../formats/go-buildinfo.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { licensesIn, renderSbom } from '../build/render/sbom.ts';
import { downloadFile } from '../published/feed/client.ts';
import type { FeedHttp } from '../published/feed/http.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import type { PublishedPayload } from '../published/package.ts';
import type { ModuleLicenses } from '../release.ts';
import { payloadAddress, sbomFile } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import { compareTexts, failed, orUnreachable, skipped } from './check.ts';
import { checkSha256File } from './payloads.ts';

type SbomPlace = { readonly feed: FeedHttp; readonly endpoints: Endpoints; readonly workDir: string };
type Published = { readonly record: ReleaseRecord; readonly manifestText: string };
/** An exe of a thousand modules has one of some hundred KB. */
const maxSbomBytes = 64 * 1024 * 1024;

/**
 * The SBOM, rendered again from the exes that clients download: the same exes make the same SBOM.
 * @param isSamePacker another version of go-win-tools may legitimately render another SBOM
 * @param licensesAgain from the modules' own files, if it was built again. Otherwise an SBOM of exes built here keeps its
 * licences: only a build can read them
 */
export async function repeatSbom(
  tool: Tool,
  { record, manifestText }: Published,
  payloads: readonly PublishedPayload[],
  isSamePacker: boolean,
  licensesAgain: ModuleLicenses | undefined,
  { feed, endpoints, workDir }: SbomPlace,
) {
  const about = { what: 'sbom', subject: sbomFile(tool) };
  /** The published one; undefined if there is none, or it was not compared. */
  let text: string | undefined;
  const areRecorded = record.payloads.every(({ architecture, sha256 }) =>
    payloads.some((one) => one.architecture === architecture && one.digest.sha256 === sha256),
  );
  // upstream's own server has no SBOM of ours; for other exes than the recorded ones it would be useless
  if (!areRecorded) return { checks: [], text };
  if (!isSamePacker) return { checks: [skipped(about, "It was made by another recipe than today's.")], text };
  const url = payloadAddress(endpoints.payloadPutUrl, tool, record.version, about.subject);
  const checks = await orUnreachable(about, async () => {
    const path = join(workDir, about.subject);
    const digest = await downloadFile(feed, url, path, maxSbomBytes);
    // not needed elsewhere: Scoop does not download the SBOM
    const isNeeded = endpoints.isOwnPayloadPlace;
    if (digest === undefined) {
      return [isNeeded ? failed(about, `a file at ${url}`, 'none') : skipped(about, 'There is none.')];
    }
    const found = await readFile(path, 'utf8');
    const isKept = record.builtBy === 'feed' && licensesAgain === undefined;
    const licenses = isKept ? licensesIn(found) : (licensesAgain ?? {});
    const again = renderSbom({ tool, record, manifestText, licenses }, await readPrograms(payloads));
    const kept = isKept ? ', except for the licences, which --rebuild reads again' : '';
    const compared = compareTexts(
      about,
      again,
      found,
      `Rendered again from the exes, it is the same${kept}.`,
    );
    const stated = { file: about.subject, sha256: digest.sha256 };
    const checks = isNeeded ? [compared, await checkSha256File(stated, url, feed)] : [compared];
    text = found;
    return checks;
  });
  return { checks, text };
}

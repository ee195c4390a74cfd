import { join } from 'node:path';
import type { Digest } from '../../formats/digest.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { ReleaseError } from '../errors.ts';
import { ask, type FeedHttp } from '../published/feed/http.ts';
import type { PublishedPayload } from '../published/package.ts';
import { isUpstreamPlace, payloadAddress, placePayload } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Check, compare, failed, unreachable } from './check.ts';

export type PublishedPayloads = {
  readonly payloads: readonly PublishedPayload[];
  readonly checks: readonly Check[];
};

type PayloadPlace = Pick<OpenToolkit, 'feed' | 'endpoints' | 'published' | 'workDir'>;
type RecordedPayload = ReleaseRecord['payloads'][number];

/** Downloads every payload of the record from where Scoop does, and compares it and the `.sha256` beside it with the record. */
export async function repeatPayloads(
  tool: Tool,
  record: ReleaseRecord,
  place: PayloadPlace,
): Promise<PublishedPayloads> {
  if (isUpstreamPlace(place.endpoints.addresses.payloadUrl)) {
    return { payloads: [], checks: await repeatUpstreamFiles(tool, record, place) };
  }
  const payloads: PublishedPayload[] = [];
  const checks: Check[] = [];
  for (const recorded of record.payloads) {
    const about = { what: 'payload', subject: recorded.file };
    const addresses = { ...place.endpoints.addresses, payloadUrl: place.endpoints.payloadPutUrl };
    const url = payloadAddress(addresses, tool, record.version, recorded.file);
    try {
      const got = await place.published.file(url, join(place.workDir, recorded.file));
      if (got === undefined) {
        checks.push(failed(about, `a file at ${url}`, 'none'));
        continue;
      }
      const { architecture, file } = recorded;
      payloads.push({ architecture, file, ...got });
      checks.push(comparePayload(recorded, got.digest), await checkSha256File(recorded, url, place.feed));
    } catch (error) {
      if (!(error instanceof ReleaseError) || error.code !== 'PLACE_UNREACHABLE') throw error;
      checks.push(unreachable(about, error.message));
    }
  }
  return { payloads, checks };
}

/** Clients download upstream's own files, which have no `.sha256` beside them: at the forge, or at a mirror that may have others. */
async function repeatUpstreamFiles(
  tool: Tool,
  record: ReleaseRecord,
  { published, endpoints, workDir }: PayloadPlace,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const recorded of record.payloads) {
    const about = { what: 'payload', subject: recorded.asset?.name ?? recorded.file };
    if (recorded.asset === undefined) {
      checks.push(failed(about, 'an upstream file', 'one that was built here'));
      continue;
    }
    const { url, sha256 } = placePayload(endpoints.addresses.payloadUrl, tool, record, recorded);
    try {
      const file = await published.file(url, join(workDir, `${recorded.architecture}-payload`));
      const found = file && `SHA-256 ${file.digest.sha256}`;
      checks.push(compare(about, `SHA-256 ${sha256}`, found, 'Its bytes are those of the record.'));
    } catch (error) {
      if (!(error instanceof ReleaseError) || error.code !== 'PLACE_UNREACHABLE') throw error;
      checks.push(unreachable(about, error.message));
    }
  }
  return checks;
}

/** Bytes against the record. */
export function comparePayload({ file, sha256, sha512, size }: RecordedPayload, digest: Digest): Check {
  return compare(
    { what: 'payload', subject: file },
    `${size} bytes, SHA-256 ${sha256}, SHA-512 ${sha512}`,
    `${digest.sizeBytes} bytes, SHA-256 ${digest.sha256}, SHA-512 ${digest.sha512}`,
    'Its bytes are those of the record.',
  );
}

/** Scoop takes the hash of an older version from there (spec scoop 2.3). */
export async function checkSha256File(
  { file, sha256 }: Pick<RecordedPayload, 'file' | 'sha256'>,
  url: string,
  feed: FeedHttp,
): Promise<Check> {
  const about = { what: 'payload', subject: `${file}.sha256` };
  const response = await ask(feed, `${url}.sha256`);
  if (response.statusCode !== 200) return failed(about, sha256, `status ${response.statusCode}`);
  return compare(about, sha256, response.body.slice(0, 100).trim(), 'It states the hash of the record.');
}

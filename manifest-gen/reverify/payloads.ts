import { join } from 'node:path';
import type { Digest } from '../../formats/digest.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import { ask, type FeedHttp } from '../published/feed/http.ts';
import type { PublishedPayload } from '../published/package.ts';
import { isUpstreamPlace, payloadAddress, placePayload } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Check, compare, failed, orUnreachable } from './check.ts';

type PayloadPlace = Pick<OpenToolkit, 'feed' | 'endpoints' | 'published' | 'workDir'>;
type RecordedPayload = ReleaseRecord['payloads'][number];

/** Downloads every payload of the record from where Scoop does, and compares it and the `.sha256` beside it with the record. */
export async function repeatPayloads(tool: Tool, record: ReleaseRecord, place: PayloadPlace) {
  const { feed, endpoints, published, workDir } = place;
  const payloads: PublishedPayload[] = [];
  const checks: Check[] = [];
  for (const recorded of record.payloads) {
    if (isUpstreamPlace(endpoints.addresses.payloadUrl)) {
      checks.push(...(await repeatUpstreamFile(tool, record, recorded, place)));
      continue;
    }
    const { architecture, file } = recorded;
    const about = { what: 'payload', subject: file };
    const url = payloadAddress(endpoints.payloadPutUrl, tool, record.version, file);
    const found = await orUnreachable(about, async () => {
      const got = await published.file(url, join(workDir, file));
      if (got === undefined) return [failed(about, `a file at ${url}`, 'none')];
      payloads.push({ architecture, file, ...got });
      return [comparePayload(recorded, got.digest), await checkSha256File(recorded, url, feed)];
    });
    checks.push(...found);
  }
  return { payloads, checks };
}

/** Clients download upstream's own file, which has no `.sha256` beside it: at the forge, or at a mirror that may have another. */
async function repeatUpstreamFile(
  tool: Tool,
  record: ReleaseRecord,
  recorded: RecordedPayload,
  { published, endpoints, workDir }: PayloadPlace,
): Promise<readonly Check[]> {
  const about = { what: 'payload', subject: recorded.asset?.name ?? recorded.file };
  if (recorded.asset === undefined) return [failed(about, 'an upstream file', 'one that was built here')];
  const { url, sha256 } = placePayload(endpoints.addresses.payloadUrl, tool, record, recorded);
  return orUnreachable(about, async () => {
    const file = await published.file(url, join(workDir, `${recorded.architecture}-payload`));
    const found = file && `SHA-256 ${file.digest.sha256}`;
    return [compare(about, `SHA-256 ${sha256}`, found, 'Its bytes are those of the record.')];
  });
}

function comparePayload({ file, sha256, sha512, size }: RecordedPayload, digest: Digest): Check {
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

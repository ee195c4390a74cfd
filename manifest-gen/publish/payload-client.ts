import type { Digest } from '../../formats/digest.ts';
import { fail } from '../errors.ts';
import { payloadAddress } from '../render/payload-place.ts';
import type { Tool } from '../tools.ts';
import { ask, type FeedHttp, fileStream, reasonOf, refuse, send } from './feed-http.ts';
import type { Places } from './server-info.ts';

export type PayloadFile = {
  readonly tool: Pick<Tool, 'tool'>;
  readonly version: string;
  readonly file: string;
  readonly path: string;
  readonly digest: Digest;
};

/**
 * Puts a file where Scoop will download it; bytes that are there already are not sent again.
 * A foreign place gets the `.sha256` beside it too, after the file: Scoop takes a hash it cannot read for none (spec scoop 2.3).
 * @throws ReleaseError FEED_CONFLICT when other bytes are there, FEED_REFUSED, FEED_UNREACHABLE
 */
export async function putPayload(
  http: FeedHttp,
  places: Places,
  payload: PayloadFile,
  onProgress: (doneBytes: number) => void,
): Promise<'put' | 'same'> {
  const url = payloadAddress(
    { ...places.addresses, payloadUrl: places.payloadPutUrl },
    payload.tool,
    payload.version,
    payload.file,
  );
  const what = `${payload.tool.tool}/${payload.version}/${payload.file}`;
  const there = await readSha256(http, url);
  if (there === payload.digest.sha256) return 'same';
  const expected = `SHA-256 ${payload.digest.sha256}`;
  if (there !== undefined) fail('FEED_CONFLICT', { what, expected, found: there });

  const response = await send(
    http,
    url,
    {
      stream: fileStream(payload.path),
      sizeBytes: payload.digest.sizeBytes,
      type: 'application/octet-stream',
    },
    onProgress,
  );
  if (response.statusCode === 409) fail('FEED_CONFLICT', { what, expected, found: reasonOf(response) });
  if (response.statusCode < 200 || response.statusCode >= 300) refuse(response, `the payload ${what}`);
  if (!places.isOwnPayloadPlace) await putSha256(http, url, payload.digest.sha256);
  return response.statusCode === 200 ? 'same' : 'put';
}

async function readSha256(http: FeedHttp, url: string): Promise<string | undefined> {
  const response = await ask(http, `${url}.sha256`);
  return response.statusCode === 200 ? /^[0-9a-f]{64}/.exec(response.body.toLowerCase())?.[0] : undefined;
}

async function putSha256(http: FeedHttp, url: string, sha256: string): Promise<void> {
  const response = await ask(http, `${url}.sha256`, {
    method: 'PUT',
    body: `${sha256}\n`,
    headers: { 'content-type': 'text/plain' },
  });
  if (response.statusCode < 200 || response.statusCode >= 300) refuse(response, `the file ${url}.sha256`);
}

import { pipeline } from 'node:stream/promises';
import type { Response } from 'got';
import { fail, ReleaseError } from '../../errors/release-error.ts';
import { createDigester, type LocalFile } from '../../formats/digest.ts';
import { ask, explain, type FeedHttp, fileAt, send } from '../published/feed/http.ts';
import { reasonOf, requireSuccess } from '../published/feed/refusal.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import { payloadAddress } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';

export type PayloadFile = LocalFile & {
  readonly tool: Pick<Tool, 'tool'>;
  readonly version: string;
  readonly file: string;
};

/**
 * Uploads a file to where Scoop will download it; existing bytes are not sent again. Another server also gets the `.sha256`
 * beside it, after the file: Scoop treats a hash that it cannot read as none (spec scoop 2.3).
 * @throws ReleaseError FEED_CONFLICT when other bytes are there, PLACE_READ_ONLY, FEED_REFUSED, FEED_UNREACHABLE,
 * PLACE_UNREACHABLE
 */
export async function putPayload(
  http: FeedHttp,
  endpoints: Endpoints,
  payload: PayloadFile,
  onProgress: (doneBytes: number) => void,
): Promise<'put' | 'same'> {
  const { tool, version, file } = payload;
  const url = payloadAddress(endpoints.payloadPutUrl, tool, version, file);
  const what = `${tool.tool}/${version}/${file}`;
  const there = await readHashBeside(http, url);
  if (there === payload.digest.sha256) return 'same';
  const expected = `SHA-256 ${payload.digest.sha256}`;
  if (there !== undefined) fail('FEED_CONFLICT', { what, expected, found: there });

  const headers = { 'content-type': 'application/octet-stream' };
  const response = await send(http, url, [payload], headers, onProgress).catch((error: unknown) =>
    endpoints.isOwnPayloadPlace ? Promise.reject(error) : explainEarlyAnswer(http, url, error),
  );
  if (!endpoints.isOwnPayloadPlace) requireUploads(url, response);
  if (response.statusCode === 409) fail('FEED_CONFLICT', { what, expected, found: reasonOf(response) });
  requireSuccess(response, `the payload ${what}`);
  if (!endpoints.isOwnPayloadPlace) await putSha256(http, url, payload.digest.sha256);
  return response.statusCode === 200 ? 'same' : 'put';
}

/**
 * A server for static files answers a PUT at once and closes the connection while we still send, so its answer is lost and only a
 * broken pipe is visible. A second request without a body gets the answer. A server that does accept uploads then has an empty
 * file at most, which the next run overwrites and no manifest names.
 */
async function explainEarlyAnswer(http: FeedHttp, url: string, error: unknown): Promise<never> {
  if (!(error instanceof ReleaseError) || error.exitCode !== 4) throw error;
  const answer = await ask(http, url, { method: 'PUT', body: '' }).catch(() => undefined);
  if (answer !== undefined) requireUploads(url, answer);
  throw error;
}

/** Answers of servers that only serve files. */
function requireUploads(url: string, { statusCode: status }: Response<string>): void {
  if ([404, 405, 501].includes(status)) fail('PLACE_READ_ONLY', { url: new URL(url).origin, status });
}

/** Undefined where no hash is beside the file. */
async function readHashBeside(http: FeedHttp, url: string): Promise<string | undefined> {
  const { statusCode, body } = await ask(http, `${url}.sha256`);
  return statusCode === 200 ? /^[0-9a-f]{64}\b/.exec(body.trim().toLowerCase())?.[0] : undefined;
}

async function putSha256(http: FeedHttp, url: string, sha256: string): Promise<void> {
  const response = await ask(http, `${url}.sha256`, {
    method: 'PUT',
    body: `${sha256}\n`,
    headers: { 'content-type': 'text/plain' },
  });
  requireSuccess(response, `the file ${url}.sha256`);
}

export type ExpectedFile = {
  readonly tool: string;
  readonly version: string;
  readonly url: string;
  /** As the person who uploads it knows it. */
  readonly file: string;
  readonly sha256: string;
};

/**
 * Reads the whole file: a HEAD would accept a "not found" page with status 200.
 * @param isHashLookedFor whether `URL.sha256` should be there too
 * @returns false when it should and is not
 * @throws ReleaseError PAYLOAD_MISSING, PLACE_UNREACHABLE; OTHER_BYTES when there are other bytes, or another hash beside them
 */
export async function requireFile(
  http: FeedHttp,
  expected: ExpectedFile,
  isHashLookedFor: boolean,
): Promise<boolean> {
  const { url, sha256 } = expected;
  const found = await hashOf(http, expected);
  if (found !== sha256) refuseBytes(expected, url, found);
  if (!isHashLookedFor) return true;
  const beside = await readHashBeside(http, url);
  if (beside !== undefined && beside !== sha256) refuseBytes(expected, `${url}.sha256`, beside);
  return beside !== undefined;
}

async function hashOf(http: FeedHttp, expected: ExpectedFile): Promise<string> {
  const digester = createDigester();
  digester.resume();
  try {
    await pipeline(fileAt(http, expected.url), digester);
  } catch (error) {
    const response = (error as { response?: Response<unknown> }).response;
    if (response === undefined || response.statusCode >= 500) return explain(http, expected.url, error);
    const status = `${response.statusCode} ${reasonOf(response)}`;
    return fail('PAYLOAD_MISSING', { ...expected, status }, error);
  }
  return digester.digest().sha256;
}

function refuseBytes({ tool, version, sha256 }: ExpectedFile, file: string, found: string): never {
  fail('OTHER_BYTES', { tool, version, file, expected: `SHA-256 ${sha256}`, found });
}

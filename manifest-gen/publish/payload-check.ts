import { pipeline } from 'node:stream/promises';
import type { Response } from 'got';
import { createDigester } from '../../formats/digest.ts';
import { fail } from '../errors.ts';
import { ask, explain, type FeedHttp, fileAt, reasonOf } from '../published/feed/http.ts';

export type PromisedFile = {
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
  promised: PromisedFile,
  isHashLookedFor: boolean,
): Promise<boolean> {
  const { url, sha256 } = promised;
  const found = await hashOf(http, promised);
  if (found !== sha256) refuse(promised, url, found);
  if (!isHashLookedFor) return true;
  const response = await ask(http, `${url}.sha256`);
  const beside = response.statusCode === 200 ? /^[0-9a-f]{64}\b/i.exec(response.body.trim())?.[0] : undefined;
  if (beside !== undefined && beside.toLowerCase() !== sha256) refuse(promised, `${url}.sha256`, beside);
  return beside !== undefined;
}

async function hashOf(http: FeedHttp, promised: PromisedFile): Promise<string> {
  const digester = createDigester();
  digester.resume();
  try {
    await pipeline([...fileAt(http, promised.url), digester]);
  } catch (error) {
    const response = (error as { response?: Response<unknown> }).response;
    if (response === undefined || response.statusCode >= 500) return explain(http, promised.url, error);
    const status = `${response.statusCode} ${reasonOf(response)}`;
    return fail('PAYLOAD_MISSING', { ...promised, status }, error);
  }
  return digester.digest().sha256;
}

function refuse({ tool, version, sha256 }: PromisedFile, file: string, found: string): never {
  fail('OTHER_BYTES', { tool, version, file, expected: `SHA-256 ${sha256}`, found });
}

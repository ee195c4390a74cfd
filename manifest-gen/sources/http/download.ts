import { open as openFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, PassThrough, type Readable } from 'node:stream';
import { type Digest, digestFile } from '../../../formats/digest.ts';
import { type Headers, type Opened, plainRedirect } from '../../../outbound/http.ts';
import { type Asking, hostUnreachable, reasonOf, refused } from '../asking.ts';
import { askHost, type HttpAccess, type Open } from './ask-host.ts';
import type { Attempt } from './attempt.ts';
import { faultOf } from './file-fault.ts';
import { inTurn } from './in-turn.ts';
import { claimPart } from './part-file.ts';

export type DownloadRequest = {
  readonly url: string;
  readonly headers: Headers;
  /** The file's folder in the cache, its own. */
  readonly folder: string;
  readonly name: string;
  /** What the source states about it. */
  readonly expectedBytes: number | undefined;
  readonly sha256: string | undefined;
  readonly maxBytes: number;
  readonly onProgress: (doneBytes: number, totalBytes: number | undefined) => void;
};
export type Downloaded = { readonly path: string; readonly digest: Digest };

/**
 * The file at a URL, in the cache afterwards; existing files are not fetched again, and interrupted downloads are resumed.
 * @throws ReleaseError SOURCE_UNREACHABLE when it cannot be downloaded, REFUSED when it is not what the source states: another
 * length, another digest, an HTML page (GitHub has sent one with status 200, spec upstream 2)
 */
export function download(access: HttpAccess, request: DownloadRequest, asking: Asking): Promise<Downloaded> {
  const path = join(request.folder, request.name);
  return inTurn(path, () => obtain(access, request, asking, path));
}

async function obtain(
  access: HttpAccess,
  request: DownloadRequest,
  asking: Asking,
  path: string,
): Promise<Downloaded> {
  const kept = await keptFile(path, request);
  if (kept !== undefined) return kept;
  const part = await claimPart(request.folder, request.name);
  const isResumed = (await sizeOf(part)) > 0;
  try {
    return await fetchPart(access, request, asking, part, path);
  } catch (error) {
    if (codeOf(error) !== 'REFUSED') throw error;
    await rm(part, { force: true });
    // the rest of an earlier run may be at fault: try again from the first byte before blaming upstream
    if (!isResumed) throw error;
    return await fetchPart(access, request, asking, part, path);
  }
}

async function fetchPart(
  access: HttpAccess,
  request: DownloadRequest,
  asking: Asking,
  part: string,
  path: string,
): Promise<Downloaded> {
  const result = await askHost(access, request.url, (open) => fetchRest(open, request, asking, part));
  if ('failed' in result) {
    const { refusal } = result;
    if (refusal !== undefined) return refused(asking, request.name, refusal.expected, refusal.found);
    return hostUnreachable(asking, result);
  }
  const digest = await digestFile(part);
  const fault = await faultOf(part, digest, request);
  if (fault !== undefined) return refused(asking, request.name, fault.expected, fault.found);
  await rename(part, path);
  return { path, digest };
}

/** One request for what is still missing. */
async function fetchRest(
  open: Open,
  request: DownloadRequest,
  asking: Asking,
  part: string,
): Promise<Attempt<void>> {
  const have = await sizeOf(part);
  if (have > 0 && have === request.expectedBytes) return { done: undefined };
  // a byte range of a compressed body is no range of the file
  const range = { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) };
  const headers = { ...request.headers, ...range };
  try {
    const opened = await open({ headers, decompress: false, isFile: true });
    try {
      return await takeRest(opened, have, request, asking, part);
    } finally {
      opened.body.destroy();
    }
  } catch (error) {
    if (codeOf(error) === plainRedirect) {
      return refused(asking, request.name, 'https all the way', reasonOf(error));
    }
    return { failed: reasonOf(error), isFurther: (await sizeOf(part)) > have };
  }
}

async function takeRest(
  { status, headers, body }: Opened,
  have: number,
  request: DownloadRequest,
  asking: Asking,
  part: string,
): Promise<Attempt<void>> {
  const start = startOf(status, headers, have);
  if (start === undefined) {
    // our part is longer than the file: it is of another one
    if (status === 416) await rm(part, { force: true });
    return statusFailure(status, request, asking);
  }
  requireFile(headers, request, asking);
  const announced = lengthOf(headers, start);
  if (announced !== undefined && !isRight(announced, request)) return otherLength(part, request, announced);
  if (start < have) await truncate(part, start);
  const total = request.expectedBytes ?? announced;
  const got = await append(body, part, start, request, total);
  if (got > (total ?? request.maxBytes)) return otherLength(part, request, 'more');
  // only a body that does not tell its end can have been cut without an error
  const isWhole = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (isWhole && !isRight(got, request)) return otherLength(part, request, got);
  if (isWhole || total === undefined || got >= total) return { done: undefined };
  return { failed: `it ended after ${got} of ${total} bytes`, isFurther: got > have };
}

/** Counts as broken (contract section 4): the next attempt starts from the beginning. */
async function otherLength(
  part: string,
  request: DownloadRequest,
  length: number | 'more',
): Promise<Attempt<void>> {
  await rm(part, { force: true });
  const expected = expectedLength(request);
  const found = length === 'more' ? 'more' : `${length} bytes`;
  return { failed: `it sends ${found} where ${expected} were announced`, refusal: { expected, found } };
}

function isRight(length: number, { expectedBytes, maxBytes }: DownloadRequest): boolean {
  return expectedBytes === undefined ? length <= maxBytes : length === expectedBytes;
}

/**
 * Every chunk is on disk before the next is taken, so what a broken transfer brought counts, and nothing comes later.
 * @returns the bytes that there are now; it stops at the first chunk that is too much
 */
async function append(
  body: Readable,
  part: string,
  startBytes: number,
  request: DownloadRequest,
  totalBytes: number | undefined,
): Promise<number> {
  const received = new PassThrough();
  let brokenBy: Error | null | undefined;
  // a stream that breaks drops what it has not handed out yet; this one hands all of it out first
  finished(body, { writable: false }, (error) => {
    brokenBy = error;
    received.end();
  });
  body.pipe(received, { end: false });
  const file = await openFile(part, 'a');
  let doneBytes = startBytes;
  try {
    for await (const chunk of received as AsyncIterable<Buffer>) {
      doneBytes += chunk.length;
      if (doneBytes > (totalBytes ?? request.maxBytes)) return doneBytes;
      await file.appendFile(chunk);
      request.onProgress(doneBytes, totalBytes);
    }
    if (brokenBy) throw brokenBy;
    return doneBytes;
  } finally {
    await file.close();
  }
}

/** The offset of the response's first byte; undefined when it is not a part of the file. */
function startOf(status: number, headers: Headers, have: number): number | undefined {
  if (status === 200) return 0;
  const [, start] = /^bytes (\d+)-/.exec(String(headers['content-range'])) ?? [];
  return status === 206 && Number(start) === have ? have : undefined;
}

function statusFailure(status: number, request: DownloadRequest, asking: Asking): Attempt<void> {
  // the source lists a file that its store does not have
  if (status === 404 || status === 410) {
    return refused(asking, request.name, 'the file that the release lists', `status ${status}`);
  }
  return { failed: `it answers with status ${status}` };
}

function requireFile(headers: Headers, request: DownloadRequest, asking: Asking): void {
  if (/^(text\/html|application\/xhtml)/i.test(String(headers['content-type']))) {
    refused(asking, request.name, 'a file', 'a page of HTML');
  }
}

function expectedLength({ expectedBytes, maxBytes }: DownloadRequest): string {
  return expectedBytes === undefined ? `at most ${maxBytes} bytes` : `${expectedBytes} bytes`;
}

function lengthOf(headers: Headers, start: number): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : start + Number(length);
}

async function keptFile(path: string, request: DownloadRequest): Promise<Downloaded | undefined> {
  if ((await sizeOf(path)) === 0) return undefined;
  const digest = await digestFile(path);
  if ((await faultOf(path, digest, request)) === undefined) return { path, digest };
  await rm(path, { force: true });
  return undefined;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

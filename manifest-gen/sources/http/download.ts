import { open as openFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, PassThrough, type Readable } from 'node:stream';
import { digestFile, type LocalFile } from '../../../formats/digest.ts';
import { type Attempt, askHost, type HttpAccess, type Open } from '../../../outbound/ask-host.ts';
import { type Asking, hostUnreachable, reasonOf, refused } from '../../../outbound/asking.ts';
import { type Headers, type Opened, plainRedirect } from '../../../outbound/http.ts';
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

type Job = DownloadRequest & {
  readonly access: HttpAccess;
  readonly asking: Asking;
  readonly path: string;
  /** What there is of it so far. */
  readonly part: string;
};

/**
 * The file at a URL, in the cache afterwards; existing files are not fetched again, and interrupted downloads are resumed.
 * @throws ReleaseError SOURCE_UNREACHABLE when it cannot be downloaded, REFUSED when it is not what the source states: another
 * length, another digest, an HTML page (GitHub has sent one with status 200, spec upstream 2)
 */
export function download(access: HttpAccess, request: DownloadRequest, asking: Asking): Promise<LocalFile> {
  const { folder, name } = request;
  const path = join(folder, name);
  return inTurn(path, async () => {
    const kept = await keptFile(path, request);
    return kept ?? obtain({ ...request, access, asking, path, part: await claimPart(folder, name) });
  });
}

async function keptFile(path: string, request: DownloadRequest): Promise<LocalFile | undefined> {
  if ((await sizeOf(path)) === 0) return undefined;
  const digest = await digestFile(path);
  if ((await faultOf(path, digest, request)) === undefined) return { path, digest };
  await rm(path, { force: true });
  return undefined;
}

async function obtain(job: Job): Promise<LocalFile> {
  const isResumed = (await sizeOf(job.part)) > 0;
  try {
    return await fetchPart(job);
  } catch (error) {
    if (codeOf(error) !== 'REFUSED') throw error;
    await rm(job.part, { force: true });
    // the rest of an earlier run may be at fault: try again from the first byte before blaming upstream
    if (!isResumed) throw error;
    return await fetchPart(job);
  }
}

async function fetchPart(job: Job): Promise<LocalFile> {
  const { access, asking, name, part, path } = job;
  const result = await askHost(access, job.url, (open) => fetchRest(open, job));
  if ('failed' in result) {
    const { refusal } = result;
    if (refusal !== undefined) return refused(asking, name, refusal.expected, refusal.found);
    return hostUnreachable(asking, result);
  }
  const digest = await digestFile(part);
  const fault = await faultOf(part, digest, job);
  if (fault !== undefined) return refused(asking, name, fault.expected, fault.found);
  await rename(part, path);
  return { path, digest };
}

/** One request for what is still missing. */
async function fetchRest(open: Open, job: Job): Promise<Attempt<void>> {
  const have = await sizeOf(job.part);
  if (have > 0 && have === job.expectedBytes) return { done: undefined };
  // a byte range of a compressed body is no range of the file
  const range = { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) };
  try {
    const opened = await open({ headers: { ...job.headers, ...range }, decompress: false, isFile: true });
    try {
      return await takeRest(opened, have, job);
    } finally {
      opened.body.destroy();
    }
  } catch (error) {
    if (codeOf(error) === plainRedirect) {
      return refused(job.asking, job.name, 'https all the way', reasonOf(error));
    }
    return { failed: reasonOf(error), isFurther: (await sizeOf(job.part)) > have };
  }
}

async function takeRest({ status, headers, body }: Opened, have: number, job: Job): Promise<Attempt<void>> {
  const { part, expectedBytes, maxBytes } = job;
  const start = startOf(status, headers, have);
  if (start === undefined) {
    // our part is longer than the file: it is of another one
    if (status === 416) await rm(part, { force: true });
    return statusFailure(status, job);
  }
  if (/^(text\/html|application\/xhtml)/i.test(String(headers['content-type']))) {
    return refused(job.asking, job.name, 'a file', 'a page of HTML');
  }
  const length = headers['content-length'];
  const announced = length === undefined ? undefined : start + Number(length);
  if (announced !== undefined && !isRight(announced, job)) return otherLength(`${announced} bytes`, job);
  if (start < have) await truncate(part, start);
  const total = expectedBytes ?? announced;
  const got = await append(body, start, total, job);
  if (got > (total ?? maxBytes)) return otherLength('more', job);
  // only a body that does not tell its end can have been cut without an error
  const isWhole = length !== undefined || headers['transfer-encoding'] !== undefined;
  if (isWhole && !isRight(got, job)) return otherLength(`${got} bytes`, job);
  if (isWhole || total === undefined || got >= total) return { done: undefined };
  return { failed: `it ended after ${got} of ${total} bytes`, isFurther: got > have };
}

/** Counts as broken (contract section 4): the next attempt starts from the beginning. */
async function otherLength(found: string, { part, expectedBytes, maxBytes }: Job): Promise<Attempt<void>> {
  await rm(part, { force: true });
  const expected = expectedBytes === undefined ? `at most ${maxBytes} bytes` : `${expectedBytes} bytes`;
  return { failed: `it sends ${found} where ${expected} were announced`, refusal: { expected, found } };
}

function isRight(length: number, { expectedBytes, maxBytes }: Job): boolean {
  return expectedBytes === undefined ? length <= maxBytes : length === expectedBytes;
}

/**
 * Every chunk is on disk before the next is taken, so what a broken transfer brought counts, and nothing comes later.
 * @returns the bytes that there are now; it stops at the first chunk that is too much
 */
async function append(body: Readable, start: number, total: number | undefined, job: Job): Promise<number> {
  const received = new PassThrough();
  let brokenBy: Error | null | undefined;
  // a stream that breaks drops what it has not handed out yet; this one hands all of it out first
  finished(body, { writable: false }, (error) => {
    brokenBy = error;
    received.end();
  });
  body.pipe(received, { end: false });
  const file = await openFile(job.part, 'a');
  let doneBytes = start;
  try {
    for await (const chunk of received as AsyncIterable<Buffer>) {
      doneBytes += chunk.length;
      if (doneBytes > (total ?? job.maxBytes)) return doneBytes;
      await file.appendFile(chunk);
      job.onProgress(doneBytes, total);
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

function statusFailure(status: number, { asking, name }: Job): Attempt<void> {
  // the source lists a file that its store does not have
  if (status === 404 || status === 410) {
    return refused(asking, name, 'the file that the release lists', `status ${status}`);
  }
  return { failed: `it answers with status ${status}` };
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'got';
import { fail, ReleaseError } from '../../../errors/release-error.ts';
import { createDigester, type Digest, type LocalFile } from '../../../formats/digest.ts';
import { FormatError } from '../../../formats/format-error.ts';
import { readV2Page, type V2Entry, type V2Page } from '../../../formats/v2-page.ts';
import { pipeToFile } from '../../../formats/whole-file.ts';
import { ask, explain, type FeedHttp, fileAt, reasonHeader, refusePage, send } from './http.ts';
import { reasonOf, refuse, requireSuccess } from './refusal.ts';

/** A package version as a feed lists it; `published` is undefined where it does not say, as older ones do for what is unlisted. */
export type FeedPackage = Pick<V2Entry, 'id' | 'version' | 'isListed' | 'published'> & {
  /** Lower-case hex; undefined when the feed does not say. */
  readonly sha512: string | undefined;
  readonly downloadUrl: string | undefined;
};

const maxPages = 200;

/**
 * Every version of an id, unlisted ones too, in the feed's order (spec nuget-v2 9.7, 10.4). An unknown id has none.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED
 */
export async function listVersions(http: FeedHttp, id: string): Promise<readonly FeedPackage[]> {
  let first = `${http.feedUrl}/FindPackagesById()?id=${encodeURIComponent(`'${id}'`)}&semVerLevel=2.0.0`;
  const found: FeedPackage[] = [];
  const seen = new Set<string>();
  let next: string | undefined = first;
  while (next !== undefined && !seen.has(next) && seen.size < maxPages) {
    seen.add(next);
    const response: Response<string> = await ask(http, next);
    // small servers refuse a parameter that they do not know
    if (response.statusCode === 400 && next === first) {
      first = next = first.replace('&semVerLevel=2.0.0', '');
      if (!seen.has(next)) continue;
    }
    if (response.statusCode !== 200) refuse(response, `the request for the versions of ${id}`);
    refusePage(http, response);
    const page = readPage(id, response.body, next);
    const own = page.entries.filter((one) => one.id.toLowerCase() === id.toLowerCase());
    found.push(...own.map(asListed));
    // Only the query of the link is used: a server behind a proxy names its public address, which may not lead back from here.
    next = page.next && `${first.slice(0, first.indexOf('?'))}${page.next.search}`;
  }
  // a version that is not seen would be made again
  if (next !== undefined && !seen.has(next)) refuseList(id, `it has more than ${maxPages} pages`);
  return found;
}

function asListed({ id, version, isListed, published, hash, content }: V2Entry): FeedPackage {
  const sha512 = hash?.algorithm === 'sha512' ? hash.hex : undefined;
  return { id, version, isListed, published, sha512, downloadUrl: content?.href };
}

function readPage(id: string, xml: string, url: string): V2Page {
  try {
    return readV2Page(xml, new URL(url));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return refuseList(id, 'its answer is not an Atom feed', error);
  }
}

function refuseList(id: string, reason: string, cause?: unknown): never {
  const hint = 'Check FEED_URL: it must be the address of a NuGet v2 feed.';
  fail('FEED_REFUSED', { status: 200, what: `the request for the versions of ${id}`, reason, hint }, cause);
}

/**
 * Streams the nupkg into a file.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED; FEED_CONFLICT when the bytes are not those the feed announces
 */
export async function downloadPackage(http: FeedHttp, pkg: FeedPackage, path: string): Promise<Digest> {
  const digest = await fetchPackageBytes(http, pkg, path);
  if (pkg.sha512 !== undefined && pkg.sha512 !== digest.sha512) {
    fail('FEED_CONFLICT', {
      what: `${pkg.id} ${pkg.version}, which it lists`,
      expected: `SHA-512 ${pkg.sha512} as announced`,
      found: digest.sha512,
    });
  }
  return digest;
}

/**
 * The same for callers that check the bytes themselves.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED
 */
export async function fetchPackageBytes(http: FeedHttp, pkg: FeedPackage, path: string): Promise<Digest> {
  const own = `${http.feedUrl}/package/${encodeURIComponent(pkg.id)}/${encodeURIComponent(pkg.version)}`;
  return (
    (await downloadFile(http, own, path).catch((error: unknown) => unlessOdd(error, pkg))) ??
    (pkg.downloadUrl === undefined ? undefined : await downloadFile(http, pkg.downloadUrl, path)) ??
    fail('FEED_REFUSED', {
      status: 404,
      what: `the download of ${pkg.id} ${pkg.version}`,
      reason: 'it is listed but does not exist',
      hint: "See the feed's log.",
    })
  );
}

/** Servers without that address answer 400 or 405 as well as 404; then theirs is used. */
function unlessOdd(error: unknown, { downloadUrl }: FeedPackage): undefined {
  const isOdd = error instanceof ReleaseError && [400, 405].includes(Number(error.details.status));
  if (!isOdd || downloadUrl === undefined) throw error;
}

/** Undefined for 404. @throws ReleaseError FEED_UNREACHABLE and PLACE_UNREACHABLE, also for a file that never ends; FEED_REFUSED */
export async function downloadFile(
  http: FeedHttp,
  url: string,
  path: string,
  maxBytes?: number,
): Promise<Digest | undefined> {
  const digester = createDigester();
  try {
    await pipeToFile(path, [fileAt(http, url, maxBytes), digester]);
    return digester.digest();
  } catch (error) {
    const response = (error as { response?: Response<unknown> }).response;
    if (response?.statusCode === 404) return undefined;
    if (response !== undefined && response.statusCode < 500 && response.statusCode >= 400)
      refuse(response, `the download of ${url}`);
    return explain(http, url, error);
  }
}

/**
 * Pushes as choco and nuget do (spec nuget-v2 10.2). `same`: the feed has exactly these bytes already.
 * @throws ReleaseError FEED_CONFLICT when it has others under this version, FEED_REFUSED, FEED_UNREACHABLE
 */
export async function pushPackage(
  http: FeedHttp,
  pkg: LocalFile & {
    readonly id: string;
    readonly version: string;
    readonly reason?: string | undefined;
    /** The tool whose rollout it is for: nobody sees it before. */
    readonly heldFor?: string | undefined;
  },
  onProgress: (doneBytes: number) => void,
): Promise<'pushed' | 'same'> {
  const boundary = `go-win-tools-${pkg.digest.sha256.slice(0, 32)}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="package"; filename="package.nupkg"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const headers = {
    'content-type': `multipart/form-data; boundary="${boundary}"`,
    ...reasonHeader(pkg.reason),
    ...(pkg.heldFor === undefined ? {} : { 'x-held': pkg.heldFor }),
  };
  const response = await send(http, pushUrl(http.feedUrl), [head, pkg, tail], headers, onProgress);
  const what = `${pkg.id} ${pkg.version}`;
  if (response.statusCode === 409) {
    const there = (await listVersions(http, pkg.id)).find((one) => one.version === pkg.version);
    if (there?.sha512 === pkg.digest.sha512) return 'same';
    if (there !== undefined) {
      const found = there.sha512 ?? 'another package of this version';
      fail('FEED_CONFLICT', { what, expected: `SHA-512 ${pkg.digest.sha512}`, found });
    }
  }
  requireSuccess(response, `the push of ${what}`);
  return 'pushed';
}

/**
 * Hides a version as `nuget delete` does (spec nuget-v2 10.4); it can still be downloaded by name.
 * @throws ReleaseError FEED_REFUSED, FEED_UNREACHABLE
 */
export async function unlistPackage(
  http: FeedHttp,
  id: string,
  version: string,
  reason: string,
): Promise<void> {
  const url = `${pushUrl(http.feedUrl)}${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
  const response = await ask(http, url, { method: 'DELETE', headers: reasonHeader(reason) });
  requireSuccess(response, `the unlisting of ${id} ${version}`);
}

/** Other feeds index after they have answered; ours shows a package when it says 201. @throws ReleaseError FEED_REFUSED after a minute */
export async function waitForPackage(
  http: FeedHttp,
  id: string,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const url = `${http.feedUrl}/Packages(Id='${encodeURIComponent(id)}',Version='${encodeURIComponent(version)}')`;
  for (const waitMs of [100, 400, 1500, 3000, 5000, 10_000, 20_000, 20_000, 0]) {
    const response = await ask(http, url);
    if (response.statusCode === 200 && response.body.includes(version)) return;
    // not every server answers for one version
    if (response.statusCode !== 200 && (await isListed(http, id, version))) return;
    if (waitMs === 0)
      fail('FEED_REFUSED', {
        status: response.statusCode,
        what: `the request for ${id} ${version}, which it accepted a minute ago`,
        reason: reasonOf(response),
        hint: "See the feed's log, and run again later.",
      });
    await delay(waitMs, undefined, { signal });
  }
}

/** What such a server answers before it has the package is not what matters here. */
async function isListed(http: FeedHttp, id: string, version: string): Promise<boolean> {
  try {
    return (await listVersions(http, id)).some((one) => one.version === version);
  } catch (error) {
    if (error instanceof ReleaseError && error.code === 'FEED_REFUSED') return false;
    throw error;
  }
}

/** Where a v2 source is pushed to (spec nuget-v2 10.1). */
export function pushUrl(feedUrl: string): string {
  const { pathname } = new URL(feedUrl);
  return pathname === '/' ? `${feedUrl.replace(/\/$/, '')}/api/v2/package/` : `${feedUrl}/`;
}

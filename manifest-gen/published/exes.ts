import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ReleaseError } from '../../errors/release-error.ts';
import { type Digest, digestFile, type LocalFile } from '../../formats/digest.ts';
import type { Architecture, ReleaseRecord } from '../../formats/release-record.ts';
import type { Cache } from '../../system/cache/cache.ts';
import type { Report } from '../../system/report.ts';
import { isPlaced, placePayload } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import { unpackAsset } from '../unpack/unpack.ts';
import type { Endpoints } from './feed/server-info.ts';
import type { Published, Released } from './published.ts';

type Exe = { readonly architecture: Architecture; readonly path: string };
type Payload = ReleaseRecord['payloads'][number];
type Access = {
  readonly published: Published;
  readonly endpoints: Endpoints;
  readonly cache: Cache;
  readonly report: Report;
};

/**
 * The exes of a release of ours: amd64 from its package, the others from where Scoop downloads them. A missing one gets a
 * warning: the results for the others are still useful.
 * @throws ReleaseError OTHER_BYTES for other bytes than the record's, PLACE_UNREACHABLE, FEED_*
 */
export async function takeExes(tool: Tool, released: Released, access: Access) {
  const { record, nupkgPath } = released;
  const packaged = await access.published.exe(tool, nupkgPath);
  const exes: Exe[] = packaged === undefined ? [] : [{ architecture: 'amd64', path: packaged.path }];
  /** Recorded, and not where Scoop gets it. */
  const missing: Architecture[] = [];
  for (const payload of record?.payloads ?? []) {
    const { architecture } = payload;
    if (record === undefined || architecture === 'amd64') continue;
    const path = await takePayload(tool, record, payload, access);
    if (path === undefined) missing.push(architecture);
    else exes.push({ architecture, path });
  }
  return { exes, missing };
}

/** The file that Scoop downloads, and the exe in it where that is an archive of upstream's. */
async function takePayload(
  tool: Tool,
  record: ReleaseRecord,
  payload: Payload,
  access: Access,
): Promise<string | undefined> {
  const { endpoints, cache, report } = access;
  const { version, source } = record;
  const { architecture, asset } = payload;
  const unseen = (why: string): undefined => {
    report.warn(tool.tool, `the ${architecture} exe of ${version} is not scanned: ${why}`);
  };
  const place = endpoints.payloadPutUrl;
  if (!isPlaced(place, record, payload))
    return unseen("PAYLOAD_URL names upstream's own files, which it is not");
  const { url, sha256 } = placePayload(place, tool, record, payload);
  const name = asset?.sha256 === sha256 ? asset.name : payload.file;
  const file = await takeFile({ tool: tool.tool, version, url, name, sha256 }, payload.file, access);
  if (file === undefined) return unseen(`${url} is not there`);
  if (sha256 === payload.sha256) return file.path;

  const found = { tool, kind: 'github', version: source.version } as const;
  try {
    const { exe } = await unpackAsset({ architecture, name, ...file }, found, cache);
    requireSame({ tool: tool.tool, version, name: payload.file, sha256: payload.sha256 }, exe.digest);
    return exe.path;
  } catch (error) {
    // the archive is the recorded one, so the tool's file must have changed the path of the exe in it since
    const isMoved =
      error instanceof ReleaseError && ['REFUSED', 'OTHER_BYTES', 'TOOL_FILE_INVALID'].includes(error.code);
    if (!isMoved) throw error;
    return unseen(error.message);
  }
}

type Recorded = {
  readonly tool: string;
  readonly version: string;
  readonly name: string;
  readonly sha256: string;
};

/**
 * Downloaded once; later runs take it from the cache after hashing it again.
 * @param savedAs a plain file name, which an asset's own need not be
 */
export async function takeFile(
  { url, ...recorded }: Recorded & { readonly url: string },
  savedAs: string,
  { published, cache }: Pick<Access, 'published' | 'cache'>,
): Promise<LocalFile | undefined> {
  const path = join(await cache.download(recorded), savedAs);
  const there = await digestFile(path).catch(() => undefined);
  if (there?.sha256 === recorded.sha256) return { path, digest: there };
  const file = await published.file(url, path);
  if (file === undefined) return undefined;
  if (file.digest.sha256 !== recorded.sha256) await rm(file.path, { force: true });
  requireSame(recorded, file.digest);
  return file;
}

function requireSame({ tool, version, name: file, sha256 }: Recorded, { sha256: found }: Digest): void {
  const expected = `SHA-256 ${sha256} as recorded`;
  if (found !== sha256) fail('OTHER_BYTES', { tool, version, file, expected, found });
}

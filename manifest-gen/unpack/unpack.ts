import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Fault } from '../../errors/fault.ts';
import { fail } from '../../errors/release-error.ts';
import { createDigester } from '../../formats/digest.ts';
import type { Architecture } from '../../formats/release-record.ts';
import { makeWhole, pipeToFile } from '../../formats/whole-file.ts';
import type { Cache } from '../../system/cache/cache.ts';
import type { Asset, Fetched, Found, Unpacked, UnpackedExe } from '../release.ts';
import { fillMember } from '../tool-file/payload-place.ts';
import { type ReadArchive, type UnpackLimits, unpackLimits } from './archive.ts';
import { readTgz } from './tgz.ts';
import { readZip } from './zip.ts';

const readers: readonly (readonly [suffix: string, read: ReadArchive])[] = [
  ['.zip', readZip],
  ['.tgz', readTgz],
  ['.tar.gz', readTgz],
];

/**
 * The bare exe of each asset, in the cache. A raw or built exe is the asset itself.
 * @throws ReleaseError REFUSED when an archive is broken, too large, or has no such member
 */
export async function unpack(
  fetched: Fetched,
  cache: Cache,
  limits: UnpackLimits = unpackLimits,
): Promise<Unpacked> {
  const exes: UnpackedExe[] = [];
  let licenseText: string | undefined;
  for (const asset of fetched.assets) {
    const { exe, licenseText: found } = await unpackAsset(asset, fetched.found, cache, limits);
    exes.push(exe);
    licenseText ??= found;
  }
  return { fetched, exes, licenseText };
}

/** One of them, of the version `found`. Same errors. */
export async function unpackAsset(
  asset: Asset,
  found: Pick<Found, 'tool' | 'kind' | 'version'>,
  cache: Cache,
  limits: UnpackLimits = unpackLimits,
): Promise<{ exe: UnpackedExe; licenseText?: string | undefined }> {
  const { architecture, digest } = asset;
  const read = readers.find(([suffix]) => asset.name.toLowerCase().endsWith(suffix))?.[1];
  if (read === undefined) return { exe: { asset, architecture, path: asset.path, digest } };

  const member = memberOf(found, architecture);
  const path = join(await cache.unpacked({ sha256: digest.sha256, member }), basename(member));
  const digester = createDigester();
  try {
    // always made again: an existing file may have been changed since
    const { licenseText } = await makeWhole(path, (part) => {
      const onMember = (bytes: Readable): Promise<void> => pipeToFile(part, [bytes, digester]);
      return read(asset.path, { member, onMember, limits });
    });
    return { exe: { asset, architecture, path, digest: digester.digest() }, licenseText };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { expected, found: seen } = error;
    return fail(
      'REFUSED',
      { tool: found.tool.tool, version: found.version, file: asset.name, expected, found: seen },
      error,
    );
  }
}

function memberOf(
  { tool, kind, version }: Pick<Found, 'tool' | 'kind' | 'version'>,
  architecture: Architecture,
): string {
  const source = tool.sources.find((other) => other.kind === kind);
  const member = source !== undefined && 'member' in source ? source.member : undefined;
  if (member !== undefined) return fillMember(member, version, architecture);
  return fail('TOOL_FILE_INVALID', {
    file: `${tool.tool}.yaml`,
    problems: `source ${kind} gives an archive and names no member`,
  });
}

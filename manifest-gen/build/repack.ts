import { fail } from '../../errors/release-error.ts';
import { readNuspec, writeNuspec } from '../../formats/nuspec.ts';
import { printReleaseRecord, type ReleaseRecord } from '../../formats/release-record.ts';
import type { Endpoints } from '../published/feed/server-info.ts';
import type { PublishedPackage, PublishedPayload } from '../published/package.ts';
import type { Rendered, UnpackedExe } from '../release.ts';
import { isUpstreamPlace } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';
import type { OpenToolkit } from '../toolkit.ts';
import { type Artifacts, artifactsOf } from './artifacts.ts';
import { packNupkg } from './nupkg-writer.ts';
import { renderManifest } from './render/scoop.ts';

/** A release on this machine, as it was made here or verified again (reverify/prove.ts). */
export type Parts = Omit<Rendered, 'packageVersion' | 'recordText' | 'manifestText'>;

/** The same package under another version. What was tested is what ships: everything comes from the release itself, and only the version changes. */
export async function repack(
  parts: Parts,
  version: string,
  manifestTemplate: string,
  {
    endpoints: { addresses },
    workDir,
    signal,
    packed,
  }: Pick<OpenToolkit, 'endpoints' | 'workDir' | 'signal' | 'packed'>,
): Promise<Artifacts> {
  const record = { ...parts.record, version };
  const rendered: Rendered = {
    ...parts,
    packageVersion: version,
    record,
    recordText: printReleaseRecord(record),
    nuspecText: writeNuspec({ ...(await readNuspec(parts.nuspecText)), version }),
    manifestText: renderManifest(manifestTemplate, parts.tool, record, addresses),
  };
  return artifactsOf(rendered, await packNupkg(rendered, workDir, signal, packed), addresses);
}

/** The parts of a release of the feed on this machine. They alone are published again: what was compared is what ships. */
export type Proven = {
  readonly published: PublishedPackage;
  readonly payloads: readonly PublishedPayload[];
  readonly sbomText?: string | undefined;
  /** Instead of the published one: it has upstream's current notes. */
  readonly nuspecAgain?: string | undefined;
};

/**
 * What the feed has, as parts of a package. Every exe must have the recorded hash.
 * @throws ReleaseError OTHER_BYTES when the bytes differ from the record
 */
export function partsOf(
  tool: Tool,
  { published, payloads, sbomText, nuspecAgain }: Proven,
  endpoints: Endpoints,
): Parts {
  const { record, nuspecText, verificationText, licenseText } = published;
  // upstream's own files stay where they are, so only the package needs its exe
  const taken = isUpstreamPlace(endpoints.payloadPutUrl)
    ? record.payloads.filter(({ architecture }) => architecture === 'amd64')
    : record.payloads;
  return {
    ...{ tool, record, nuspecText: nuspecAgain ?? nuspecText, verificationText, licenseText },
    exes: taken.map((payload) => {
      // the package has only the amd64 exe; others are where Scoop downloads them
      const exe =
        payload.architecture === 'amd64' ? published.exe : payloads.find(({ file }) => file === payload.file);
      return checkedExe(tool, record, payload, exe);
    }),
    // it is the same for these exes under any version, and has licences that only their builder could read
    ...(sbomText === undefined || !endpoints.isPut ? {} : { sbomText }),
  };
}

function checkedExe(
  { tool }: Tool,
  { version }: ReleaseRecord,
  { architecture, file, sha256, size }: ReleaseRecord['payloads'][number],
  exe: Pick<PublishedPayload, 'path' | 'digest'> | undefined,
): UnpackedExe {
  if (exe === undefined || exe.digest.sha256 !== sha256 || exe.digest.sizeBytes !== size) {
    const expected = `SHA-256 ${sha256} as recorded`;
    return fail('OTHER_BYTES', { tool, version, file, expected, found: exe?.digest.sha256 ?? 'none' });
  }
  const { path, digest } = exe;
  return { asset: { architecture, name: file, path, digest }, architecture, path, digest };
}

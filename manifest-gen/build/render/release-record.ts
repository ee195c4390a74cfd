import type { ReleaseRecord } from '../../../formats/release-record.ts';
import type { GoModule, Unpacked, UnpackedExe, Verdict } from '../../release.ts';
import { payloadFile } from '../../tool-file/payload-place.ts';
import { sourceFacts } from '../../tool-file/source-facts.ts';
import type { Tool } from '../../tool-file/tools.ts';

/**
 * What this release was made from and what was checked; nothing that depends on the day, the machine or the addresses that were
 * used.
 */
export function renderRecord(
  { fetched: { found }, exes }: Unpacked,
  verdicts: readonly Verdict[],
  packageVersion: string,
  packaging: string,
): ReleaseRecord {
  const { tool, kind, bundledBy, upstream, version, fingerprint } = found;
  return {
    schema: 1,
    tool: tool.tool,
    version: packageVersion,
    packaging,
    builtBy: sourceFacts[kind].builtBy,
    source: { kind: bundledBy === undefined ? kind : 'bundle', upstream, version, fingerprint },
    payloads: exes.map((exe) => payload(tool, exe)),
    evidence: verdicts.map(({ kind, verdict, subject, detail, keyId }) => {
      return { kind, verdict, subject, detail, keyId };
    }),
  };
}

function payload(
  tool: Tool,
  { architecture, asset, digest }: UnpackedExe,
): ReleaseRecord['payloads'][number] {
  return {
    architecture,
    file: payloadFile(tool, architecture),
    size: digest.sizeBytes,
    sha256: digest.sha256,
    sha512: digest.sha512,
    url: asset.url,
    ...(asset.goModule === undefined
      ? { asset: { name: asset.name, sha256: asset.digest.sha256 } }
      : { goModule: goModule(asset.goModule) }),
  };
}

/** Whether the checksum database was asked is evidence, not origin. */
function goModule({ module: _module, isSumChecked: _isSumChecked, ...built }: GoModule) {
  return built;
}

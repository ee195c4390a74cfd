import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fail } from '../../errors/release-error.ts';
import { digestFile, type LocalFile, readChunks } from '../../formats/digest.ts';
import { opcParts, textEntry } from '../../formats/opc.ts';
import { writeZip, type ZipEntry } from '../../formats/zip-writer.ts';
import type { Rendered, UnpackedExe } from '../release.ts';
import { exeName } from '../tool-file/payload-place.ts';
import { packageIdOf } from '../tool-file/tools.ts';

/**
 * Writes TOOL.VERSION.nupkg into `dir`: the same inputs give the same bytes on every machine (contract section 5).
 * @param signal ends it early, with the signal's own error
 * @throws ReleaseError REFUSED when the exe on disk is no longer the one that was verified
 */
export async function packNupkg(rendered: Rendered, dir: string, signal?: AbortSignal): Promise<LocalFile> {
  const id = packageIdOf(rendered.tool);
  const path = join(dir, `${id}.${rendered.packageVersion}.nupkg`);
  await writeZip(path, parts(rendered, id, signal));
  return { path, digest: await digestFile(path) };
}

/** OPC parts first, as NuGet writes them, then the payload. */
function parts(rendered: Rendered, id: string, signal: AbortSignal | undefined): readonly ZipEntry[] {
  const exe = rendered.exes.find((one) => one.architecture === 'amd64');
  if (exe === undefined) throw new TypeError('A release without an amd64 exe was handed to the packer.');
  return [
    ...opcParts(id, ['nuspec', 'exe', 'txt', 'json']),
    textEntry(`${id}.nuspec`, rendered.nuspecText),
    { name: `tools/${exeName(rendered.tool)}`, content: verifiedBytes(rendered, exe, signal) },
    textEntry('tools/LICENSE.txt', rendered.licenseText),
    textEntry('tools/VERIFICATION.txt', rendered.verificationText),
    textEntry('tools/release.json', rendered.recordText),
  ];
}

/** Hashed again while it is read: exactly the verified bytes are packed, whatever happened to the cache meanwhile. */
async function* verifiedBytes(
  rendered: Rendered,
  exe: UnpackedExe,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(exe.path)) {
    signal?.throwIfAborted();
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found !== exe.digest.sha256) {
    fail('REFUSED', {
      tool: rendered.tool.tool,
      version: rendered.packageVersion,
      file: exe.asset.name,
      expected: `SHA-256 ${exe.digest.sha256} as verified`,
      found,
    });
  }
}

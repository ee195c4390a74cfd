import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../errors/release-error.ts';
import { digestFile, type LocalFile, readChunks } from '../../formats/digest.ts';
import { opcParts, textEntry } from '../../formats/opc.ts';
import { keepPacked, type PackedExes, packedBytes } from '../../formats/packed-exes.ts';
import { writeZip, type ZipEntry } from '../../formats/zip-writer.ts';
import type { Rendered, UnpackedExe } from '../release.ts';
import { exeName } from '../tool-file/payload-place.ts';
import { packageIdOf } from '../tool-file/tools.ts';

/**
 * Writes TOOL.VERSION.nupkg into `dir`: the same inputs give the same bytes on every machine (contract section 5).
 * @param signal ends it early, with the signal's own error
 * @param packed what this run has packed; the package is added
 * @throws ReleaseError REFUSED when the exe on disk is no longer the one that was verified
 */
export async function packNupkg(
  rendered: Rendered,
  dir: string,
  signal?: AbortSignal,
  packed: PackedExes = new Map(),
): Promise<LocalFile> {
  const id = packageIdOf(rendered.tool);
  const path = join(dir, `${id}.${rendered.packageVersion}.nupkg`);
  const exe = rendered.exes.find((one) => one.architecture === 'amd64');
  if (exe === undefined) throw new TypeError('A release without an amd64 exe was handed to the packer.');
  const entries = parts(rendered, id, exeEntry(rendered, exe, packed, signal));
  const written = await writeZip(path, entries);
  const deflated = written[entries.findIndex(({ name }) => name === exePath(rendered))];
  if (deflated !== undefined) keepPacked(packed, exe.digest.sha256, { nupkgPath: path, deflated });
  return { path, digest: await digestFile(path) };
}

const exePath = ({ tool }: Rendered): string => `tools/${exeName(tool)}`;

/** From the package that has the exe already, or from the exe itself. */
function exeEntry(
  rendered: Rendered,
  exe: UnpackedExe,
  packed: PackedExes,
  signal: AbortSignal | undefined,
): ZipEntry {
  const name = exePath(rendered);
  const before = packed.get(exe.digest.sha256);
  if (before === undefined || !existsSync(before.nupkgPath))
    return { name, content: verifiedBytes(rendered, exe, signal) };
  const onOther = (expected: string, found: string): never => refuse(rendered, exe, expected, found);
  return { name, content: packedBytes(before, onOther), deflatedAs: before.deflated };
}

/** OPC parts first, as NuGet writes them, then the payload. */
function parts(rendered: Rendered, id: string, exe: ZipEntry): readonly ZipEntry[] {
  return [
    ...opcParts(id, ['nuspec', 'exe', 'txt', 'json']),
    textEntry(`${id}.nuspec`, rendered.nuspecText),
    exe,
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
  if (found !== exe.digest.sha256) refuse(rendered, exe, exe.digest.sha256, found);
}

function refuse(
  { tool: { tool }, packageVersion: version }: Rendered,
  { asset: { name: file } }: UnpackedExe,
  sha256: string,
  found: string,
): never {
  return fail('REFUSED', { tool, version, file, expected: `SHA-256 ${sha256} as verified`, found });
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { digestFile } from '../../formats/digest.ts';
import { fail } from '../errors.ts';
import { exeName } from '../payload-file.ts';
import type { Packed, Rendered, UnpackedExe } from '../release.ts';
import { writeZip, type ZipEntry } from './zip-writer.ts';

/**
 * Writes TOOL.VERSION.nupkg into `dir`: the same inputs give the same bytes on every machine (contract section 5).
 * @throws ReleaseError REFUSED when the exe on disk is no longer the one that was verified
 */
export async function packNupkg(rendered: Rendered, dir: string): Promise<Packed> {
  const id = rendered.tool.packageId ?? rendered.tool.tool;
  const nupkgPath = join(dir, `${id}.${rendered.packageVersion}.nupkg`);
  await writeZip(nupkgPath, parts(rendered, id));
  return { rendered, nupkgPath, nupkgDigest: await digestFile(nupkgPath) };
}

/**
 * OPC parts first, as NuGet writes them, then the payload. There is no core-properties part: NuGet.Core's ZipPackage
 * (choco 0.10.15, 1.x) finds the nuspec by the manifest relationship and never opens it, newer readers ignore OPC.
 */
function parts(rendered: Rendered, id: string): readonly ZipEntry[] {
  const exe = rendered.exes.find((one) => one.architecture === 'amd64');
  if (exe === undefined) throw new TypeError('A release without an amd64 exe was handed to the packer.');
  return [
    text('[Content_Types].xml', contentTypes),
    text('_rels/.rels', relationships(id)),
    text(`${id}.nuspec`, rendered.nuspecText),
    { name: `tools/${exeName(rendered.tool)}`, content: verifiedBytes(rendered, exe) },
    text('tools/LICENSE.txt', rendered.licenseText),
    text('tools/VERIFICATION.txt', rendered.verificationText),
    text('tools/release.json', rendered.recordText),
  ];
}

/** Every extension that is in the package; System.IO.Packaging does not see a part without a type. */
const contentTypes = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
  <Default Extension="nuspec" ContentType="application/octet" />
  <Default Extension="exe" ContentType="application/octet" />
  <Default Extension="txt" ContentType="application/octet" />
  <Default Extension="json" ContentType="application/octet" />
</Types>
`;

function relationships(id: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${id}.nuspec" Id="manifest" />
</Relationships>
`;
}

function text(name: string, content: string): ZipEntry {
  return { name, content: [Buffer.from(content, 'utf8')] };
}

/** Hashed once more while it is read: what was verified is what is packed, whatever happened to the cache meanwhile. */
async function* verifiedBytes(rendered: Rendered, exe: UnpackedExe): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(exe.path) as AsyncIterable<Buffer>) {
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

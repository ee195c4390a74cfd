import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestFile } from '../formats/digest.ts';
import { writeNuspec } from '../formats/nuspec.ts';
import { opcParts, textEntry } from '../formats/opc.ts';
import { parseScoopManifest, printScoopManifest } from '../formats/scoop-manifest.ts';
import { writeZip, type ZipEntry } from '../formats/zip-writer.ts';
import type { ProgramSource } from './build-program.ts';
import type { ManifestAddresses, OwnPackage, PackedPackage } from './publish.ts';

const id = 'go-win-probe';
const about = { tool: id, version: 'program' } as const;
const summary = 'Health and metrics of standard images and developer machines';

/**
 * The name of each program in the package. Linux images take theirs from it, since /dl has exes for Windows only (contract section
 * 3). A part of a package needs an extension (OPC, default content types).
 */
export const probePrograms: readonly (ProgramSource & { readonly file: string })[] = [
  { about, folder: 'probe', os: 'windows', architecture: 'amd64', file: `${id}.exe` },
  { about, folder: 'probe', os: 'linux', architecture: 'amd64', file: `${id}-linux-amd64.bin` },
  { about, folder: 'probe', os: 'linux', architecture: 'arm64', file: `${id}-linux-arm64.bin` },
];

export type ProbeFile = { readonly file: string; readonly path: string; readonly digest: Digest };
export type ProbeTexts = { readonly license: string; readonly notices: string };

/** @param files one for each of `probePrograms`, in their order */
export function probePackage(files: readonly ProbeFile[], texts: ProbeTexts): OwnPackage {
  const [exe] = files;
  if (exe === undefined) throw new TypeError('the probe of Windows is missing');
  const payload = { file: `${id}-windows-amd64.exe`, path: exe.path, digest: exe.digest };
  return {
    ...{ id, what: 'this probe', verb: 'probe', payload },
    pack: (version, dir) => pack(files, texts, version, dir),
    manifest: (version, at) => manifest(payload.digest, version, at),
  };
}

/** The same programs give the same bytes everywhere. */
async function pack(
  files: readonly ProbeFile[],
  { license, notices }: ProbeTexts,
  version: string,
  dir: string,
): Promise<PackedPackage> {
  const path = join(dir, `${id}.${version}.nupkg`);
  await writeZip(path, [
    ...opcParts(id, ['nuspec', 'exe', 'bin', 'txt']),
    textEntry(`${id}.nuspec`, nuspec(version)),
    ...files.map(
      (one): ZipEntry => ({
        name: `tools/${one.file}`,
        content: createReadStream(one.path) as AsyncIterable<Uint8Array>,
      }),
    ),
    textEntry('tools/LICENSE.txt', license),
    textEntry('tools/THIRD-PARTY-NOTICES.txt', notices),
    textEntry('tools/VERIFICATION.txt', verification(files)),
  ]);
  return { path, digest: await digestFile(path) };
}

function manifest(digest: Digest, version: string, at: ManifestAddresses): string {
  const text = {
    version,
    description: summary,
    homepage: at.home,
    license: 'MIT',
    architecture: { '64bit': { url: `${at.url}#/${id}.exe`, hash: digest.sha256 } },
    bin: `${id}.exe`,
    ...(at.checkver === undefined ? {} : { checkver: { url: at.checkver, jsonpath: '$.version' } }),
    autoupdate: {
      architecture: { '64bit': { url: `${at.anyVersion}#/${id}.exe` } },
      hash: { url: '$url.sha256' },
    },
  };
  return printScoopManifest(parseScoopManifest(JSON.stringify(text)));
}

function nuspec(version: string): string {
  return writeNuspec({
    id,
    version,
    title: id,
    authors: 'go-win-tools',
    owners: 'go-win-tools',
    summary,
    description:
      'Answers `/healthz` (Go toolchain, next expiry in the certificate store, hash of the SBOM) and `/metrics` ' +
      '(CPU and memory of Go, process and container) over HTTP. `go-win-probe -check URL` is the health check of an image.\n\n' +
      '`tools/go-win-probe-linux-amd64.bin` and `-arm64.bin` are the same program for Linux images.',
    tags: [id, 'monitoring', 'prometheus'],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
  });
}

function verification(files: readonly ProbeFile[]): string {
  return `VERIFICATION
The programs in this folder are built from probe/ of go-win-tools.

${files.map(({ file, digest }) => `  ${file}\n  SHA-256: ${digest.sha256}\n`).join('\n')}
To compare: \`pnpm probe --out DIR\` of the same version of go-win-tools with an empty CACHE_DIR builds them again and prints their hashes.
The exe differs where it was signed.
`;
}

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { digestFile } from '../formats/digest.ts';
import { writeNuspec } from '../formats/nuspec.ts';
import { opcParts, textEntry } from '../formats/opc.ts';
import { parseScoopManifest, printScoopManifest } from '../formats/scoop-manifest.ts';
import { writeZip, type ZipEntry } from '../formats/zip-writer.ts';
import type { BuiltProgram, ProgramSource } from '../own-packages/build-program.ts';
import type { ManifestAddresses, OwnPackage, PackedPackage } from '../own-packages/publish.ts';
import { renderShimJson } from './exe-form.ts';
import type { ShimPlan } from './plan.ts';

/** The package id and the Scoop app of the default set. */
export const shimsPackage = 'go-win-shims';
/** The only payload: every NAME.exe is a copy of it (contract section 3: always the bare exe). */
const launcherFile = `${shimsPackage}-windows-amd64.exe`;

/** NAME.exe: one program for all tools. */
export const launcherSource: ProgramSource = {
  about: { tool: 'shims', version: 'launcher' },
  folder: 'shims/launcher',
  ...{ os: 'windows', architecture: 'amd64' },
};

export type ShimSet = {
  readonly plans: readonly ShimPlan[];
  readonly launcher: Pick<BuiltProgram, 'path' | 'digest'>;
  readonly licenseText: string;
};

export function shimsOf(set: ShimSet): OwnPackage {
  return {
    ...{ id: shimsPackage, what: 'this set of shims', verb: 'shims' },
    pack: (version, dir) => packShims(set, version, dir),
    payload: { file: launcherFile, path: set.launcher.path, digest: set.launcher.digest },
    manifest: (version, at) => renderShimsManifest(set, version, at),
  };
}

const description =
  'One small launcher under the name of each command. Put first in PATH, it runs the newest install of the tool, whether Chocolatey or Scoop made it. ' +
  '`GO_WIN_TOOLS_EXPLAIN=1 NAME` tells which installs it sees and which it takes.\n\n' +
  'This package changes no PATH: `install.ps1 -Shims` of the feed it comes from puts its folder first, before the folders of both managers. ' +
  '`tools/VERIFICATION.txt` has the hash of the launcher.';

/**
 * Writes go-win-shims.VERSION.nupkg into `dir`: the same set gives the same bytes everywhere. `NAME.exe.ignore` keeps Chocolatey
 * from making a shim of a shim (choco ShimGenerationService). Scripts are not included: every caller finds the exe, including cmd
 * and Git Bash.
 */
async function packShims(set: ShimSet, version: string, dir: string): Promise<PackedPackage> {
  const path = join(dir, `${shimsPackage}.${version}.nupkg`);
  await writeZip(path, [
    ...opcParts(shimsPackage, ['nuspec', 'exe', 'ignore', 'json', 'txt']),
    textEntry(`${shimsPackage}.nuspec`, nuspec(set, version)),
    ...set.plans.flatMap((plan): ZipEntry[] => [
      {
        name: `tools/${plan.exe}`,
        content: createReadStream(set.launcher.path) as AsyncIterable<Uint8Array>,
      },
      textEntry(`tools/${plan.exe}.ignore`, 'Chocolatey makes no shim of this one.\n'),
      textEntry(`tools/${plan.command}.shim.json`, renderShimJson(plan)),
    ]),
    textEntry('tools/LICENSE.txt', set.licenseText),
    textEntry('tools/VERIFICATION.txt', verification(set)),
  ]);
  return { path, digest: await digestFile(path) };
}

/** Scoop downloads the launcher once, and the manifest makes the copies, so that no file has two hashes. */
function renderShimsManifest({ plans, launcher }: ShimSet, version: string, at: ManifestAddresses): string {
  const manifest = {
    version,
    description: 'Shims that decide whether the Chocolatey or the Scoop install of a Go tool runs',
    homepage: at.home,
    license: 'MIT',
    architecture: { '64bit': { url: `${at.url}#/launcher.exe`, hash: launcher.digest.sha256 } },
    pre_install: plans.flatMap((plan) => [
      `Copy-Item -LiteralPath "$dir\\launcher.exe" -Destination "$dir\\${plan.exe}"`,
      `Set-Content -Encoding ASCII -LiteralPath "$dir\\${plan.command}.shim.json" -Value ${quote(JSON.stringify(JSON.parse(renderShimJson(plan))))}`,
    ]),
    env_add_path: '.',
    ...(at.checkver === undefined ? {} : { checkver: { url: at.checkver, jsonpath: '$.version' } }),
    autoupdate: {
      architecture: { '64bit': { url: `${at.anyVersion}#/launcher.exe` } },
      hash: { url: '$url.sha256' },
    },
  };
  return printScoopManifest(parseScoopManifest(JSON.stringify(manifest)));
}

/** A PowerShell string without expansion. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function nuspec({ plans }: ShimSet, version: string): string {
  return writeNuspec({
    id: shimsPackage,
    version,
    title: 'go-win-tools shims',
    authors: 'go-win-tools',
    owners: 'go-win-tools',
    summary: 'Shims that decide whether the Chocolatey or the Scoop install of a Go tool runs',
    description: `${description}\n\nCommands: ${plans.map(({ command }) => command).join(', ')}.`,
    tags: [shimsPackage, 'shims'],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
  });
}

function verification({ plans, launcher }: ShimSet): string {
  return `VERIFICATION
Every exe in this folder is the same launcher, built from shims/launcher of go-win-tools; what it decides is in NAME.shim.json beside it.

  SHA-256: ${launcher.digest.sha256}
  SHA-512: ${launcher.digest.sha512}

  ${plans.map(({ exe }) => exe).join('\n  ')}

To compare: \`pnpm shims --out DIR\` of the same version of go-win-tools prints the hash of the launcher that it builds.
`;
}

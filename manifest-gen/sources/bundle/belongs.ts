import { ldflags } from '../../../go-command/built-exe.ts';
import { sourceOf, type Tool } from '../../tool-file/tools.ts';
import { ruleFor } from '../../tool-file/version-rules.ts';
import { githubAssetUrl, githubUpstream } from '../github/names.ts';
import { tagsFor } from '../go-module/module.ts';
import { isWithin } from '../go-module/toolchain.ts';
import { npmFile, npmUpstream } from '../npm/names.ts';
import type { BundledAsset, BundledRelease } from './format.ts';

type Claim = readonly [what: string, expected: string | undefined, found: string | undefined];

/**
 * Is this what the tool's own file would have requested? The file decides which repository, package or module is used, not the
 * signer of a bundle.
 */
export function mismatchOf(tool: Tool, release: BundledRelease) {
  const architectures = release.assets.map(({ architecture }) => architecture);
  const claims: readonly Claim[] = [
    ['its first file', 'amd64', architectures[0]],
    ['its second file', architectures.length > 1 ? 'arm64' : undefined, architectures[1]],
    ...claimsOf[release.kind](tool, release),
  ];
  const wrong = claims.find(([, expected, found]) => expected !== found);
  return wrong && { what: wrong[0], expected: wrong[1] ?? 'none', found: wrong[2] ?? 'none' };
}

type Claims = (tool: Tool, release: BundledRelease) => readonly Claim[];

const claimsOf: Readonly<Record<BundledRelease['kind'], Claims>> = {
  github(tool, { version, upstream, assets }) {
    const source = sourceOf(tool, 'github');
    if (source === undefined) return [noSource('github')];
    return [
      ['its upstream', githubUpstream(source, version), upstream],
      ...assets.flatMap(({ architecture, name, url, goModule }): Claim[] => [
        ['its file', source.assets[architecture]?.replaceAll('{version}', version), name],
        ['the address of its file', githubAssetUrl(source, version, name), url],
        ['its module', undefined, goModule?.module],
      ]),
    ];
  },
  npm(tool, { version, upstream, assets }) {
    const source = sourceOf(tool, 'npm');
    if (source === undefined) return [noSource('npm')];
    return [
      ['its upstream', npmUpstream(source.packages.amd64, version), upstream],
      ...assets.flatMap(({ architecture, name, url, goModule }): Claim[] => {
        const wanted = source.packages[architecture];
        return [
          ['its file', wanted && npmFile(wanted, version), name],
          ['the address of its file', undefined, url],
          ['its module', undefined, goModule?.module],
        ];
      }),
    ];
  },
  'go-module'(tool, { version, upstream, assets }) {
    const source = sourceOf(tool, 'go-module');
    const rule = source && ruleFor(source.modules, version);
    if (source === undefined || rule === undefined) return [noSource('go-module')];
    const named = ruleFor(source.toolchains, version)?.go;
    return [
      ['its upstream', `${rule.module}@v${version}`, upstream],
      ...assets.flatMap((asset): Claim[] => [
        ['the address of its file', undefined, asset.url],
        ['its main package', rule.main, asset.goModule?.path],
        ['its module', rule.module, asset.goModule?.module],
        ['its version', `v${version}`, asset.goModule?.version],
        ['its build tags', tagsFor(source, version, asset.architecture), asset.goModule?.tags],
        ['its linker flags', ldflags, asset.goModule?.ldflags],
        ['its toolchain', toolchainOf(named, asset), asset.goModule?.toolchain],
      ]),
    ];
  },
};

function noSource(kind: string): Claim {
  return ['its source', `one of the tool's for this version`, kind];
}

/** A tool's file may leave the patch, or all of it, to the module proxy, which nobody can ask here. */
function toolchainOf(named: string | undefined, { goModule }: BundledAsset): string | undefined {
  const found = goModule?.toolchain;
  if (named === undefined) return found;
  return found !== undefined && isWithin(found, named) ? found : `go${named}`;
}

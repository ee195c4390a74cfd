import { fail } from '../../../errors/release-error.ts';
import type { Go } from '../../../go-command/command.ts';
import { judgeGoError } from '../../../go-command/go-fault.ts';
import { listVersions } from '../../../go-command/modules.ts';
import { toolchainTrust } from '../../../go-command/toolchain.ts';
import { type Asking, unreachable } from '../../../outbound/asking.ts';
import type { BuiltBefore } from '../../release.ts';
import type { SourceOf } from '../../tool-file/sources.ts';
import { ruleFor } from '../../tool-file/version-rules.ts';

/** Older Go versions are no modules, so the go command cannot fetch them. */
const oldestMinor = 21;

/**
 * Which Go builds this version: the one in the tool file, otherwise the last patch of the minor that the module's go.mod names
 * (spec upstream 8: goreleaser 1.20.0 does not compile with a current Go). `go1.21.13`. If the patch is open, the one that built
 * it before is kept (contract section 4).
 * @throws ReleaseError SOURCE_UNREACHABLE, TOOLCHAIN_UNAVAILABLE
 */
export async function chooseToolchain(
  go: Go,
  source: Pick<SourceOf<'go-module'>, 'toolchains'>,
  version: string,
  goMod: string,
  asking: Asking,
  before?: BuiltBefore,
): Promise<string> {
  const named = ruleFor(source.toolchains, version)?.go;
  if (before !== undefined && isRelease(before.toolchain)) {
    const isAllowed = isWithin(before.toolchain, named ?? `1.${minorOf(goMod)}`);
    if (isAllowed || before.isOnlyRepeated) return before.toolchain;
  }
  if (named !== undefined && named.split('.').length === 3) return `go${named}`;
  const minor = named === undefined ? minorOf(goMod) : Number(named.split('.')[1]);
  const { versions, fault = '' } = await listVersions(go, 'golang.org/toolchain', toolchainTrust(go));
  if (fault !== '' && judgeGoError(fault) === 'unreachable') return unreachable(asking, fault.trim());
  const patch = lastPatch(versions, minor);
  if (patch !== undefined) return `go1.${minor}.${patch}`;
  return fail('TOOLCHAIN_UNAVAILABLE', {
    ...asking,
    toolchain: `go1.${minor}`,
    cause: 'the module proxy lists no release of it',
  });
}

/**
 * A release of Go by its plain name. It comes from an untrusted record and becomes GOTOOLCHAIN: `path`, `local` or
 * `go1.26.1-mine+path` would run a program of this machine.
 */
export function isRelease(toolchain: string): boolean {
  const minor = /^go1\.([1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})$/.exec(toolchain)?.[1];
  return Number(minor ?? 0) >= oldestMinor;
}

/** @param named `1.21.13`, or `1.21` for any patch of it */
export function isWithin(toolchain: string, named: string): boolean {
  const isPatchOpen = named.split('.').length < 3;
  return toolchain === `go${named}` || (isPatchOpen && toolchain.startsWith(`go${named}.`));
}

/** The minor of `go 1.20`, `go 1.22.0`, at least 21. Without a line it is a module from before Go 1.12. */
export function minorOf(goMod: string): number {
  const minor = /^go[ \t]+1\.(\d+)/m.exec(goMod)?.[1] ?? '0';
  return Math.max(oldestMinor, Number(minor));
}

/** Of `v0.0.1-go1.21.13.linux-amd64`, on whichever platform, so that every machine comes to the same answer. */
export function lastPatch(versions: readonly string[], minor: number): number | undefined {
  const pattern = new RegExp(`^v0\\.0\\.1-go1\\.${minor}\\.(\\d+)\\.`);
  const patches = versions.map((version) => Number(pattern.exec(version)?.[1] ?? Number.NaN));
  return patches.filter((patch) => !Number.isNaN(patch)).sort((a, b) => b - a)[0];
}

import type { GoBuildInfo, GoModuleVersion } from '../formats/go-buildinfo.ts';
import { parseGoVersion, stdlibVersion } from './go-version.ts';

/** The name that the database gives to Go's standard library. */
export const stdlib = 'stdlib';

/** The modules of a program, from its build info. */
export type Composition = {
  /** With versions that can be compared, the standard library among them. Sorted by path. */
  readonly modules: readonly Pick<GoModuleVersion, 'path' | 'version'>[];
  /** Modules of unknown version (replaced by a folder, a development toolchain). */
  readonly unknown: readonly string[];
  /** `windows`, `amd64`; empty when it does not say. */
  readonly goos: string;
  readonly goarch: string;
};

/** A release by its own module, and by its version without v where that is known. */
export type Release = { readonly path: string; readonly version: string | undefined };

export function ownModule({ path, version }: Release): GoModuleVersion {
  return { path, version: version === undefined ? '' : `v${version}`, sum: '' };
}

/** What can be looked up for a program without build info, or before its download. */
export function composeOwn(own: GoModuleVersion): Composition {
  const { path, version } = own;
  return isKnown(own)
    ? { modules: [{ path, version }], unknown: [], goos: 'windows', goarch: '' }
    : { modules: [], unknown: [path], goos: 'windows', goarch: '' };
}

/**
 * Pure. The main module of buf says `(devel)`; the release has the real version (spec upstream 6).
 * @param release upstream's version without v
 */
export function compose(info: GoBuildInfo, release: string | undefined): Composition {
  const main = info.module === undefined ? [] : [withRelease(info.module, release)];
  const all = [
    ...main,
    ...info.dependencies,
    { path: stdlib, version: stdlibVersion(info.goVersion) ?? '' },
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    modules: all.filter(isKnown).map(({ path, version }) => ({ path, version })),
    unknown: all.filter((module) => !isKnown(module)).map(({ path }) => path),
    goos: info.settings.GOOS ?? '',
    goarch: info.settings.GOARCH ?? '',
  };
}

function withRelease(module: GoModuleVersion, release: string | undefined): GoModuleVersion {
  return isKnown(module) || release === undefined ? module : { ...module, version: `v${release}` };
}

function isKnown({ version }: Pick<GoModuleVersion, 'version'>): boolean {
  return parseGoVersion(version) !== undefined;
}

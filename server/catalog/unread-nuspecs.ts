import type { Nuspec } from '../../formats/nuspec.ts';
import type { PackageFile } from './catalog.ts';

/** A package that was published when less of a nuspec was read than today. */
export type UnreadNuspec = PackageFile & { readonly pk: number };

/** The port to such packages, for the one-time work of `feed/reread.ts`. */
export interface UnreadNuspecs {
  /** The next ones, at most so many. */
  next(count: number): Promise<readonly UnreadNuspec[]>;
  /** Notes what they say; undefined leaves one as it is. None is asked for again. */
  store(read: readonly { readonly of: UnreadNuspec; readonly nuspec: Nuspec | undefined }[]): Promise<void>;
}

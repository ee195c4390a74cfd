import type { Nuspec } from '../../formats/nuspec.ts';
import type { PackageFile } from './catalog.ts';

/** A package that was published when this program read fewer fields of a nuspec. */
export type UnreadNuspec = PackageFile & { readonly pk: number };

/** The port to such packages, for the one-time work of `feed/reread.ts`. */
export interface UnreadNuspecs {
  /** The next ones, at most `count`. */
  next(count: number): Promise<readonly UnreadNuspec[]>;
  /** Stores their nuspecs; undefined leaves one as it is. Each is offered only once. */
  store(read: readonly { readonly of: UnreadNuspec; readonly nuspec: Nuspec | undefined }[]): Promise<void>;
}

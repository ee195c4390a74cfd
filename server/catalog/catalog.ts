import type { Nuspec } from '../../formats/nuspec.ts';
import type { Actor } from '../audit/audit.ts';
import type { PackageQuery, SemVerView } from './query.ts';
import type { RevisionNumbers } from './revisions.ts';

/** The record of one package version. Its bytes are in the blob store under `sha256`. */
export type NewPackage = {
  /** Casing of this push; the catalog keeps that of the id's first push (spec nuget-v2 12.5). */
  readonly id: string;
  /** As the nuspec spells it. */
  readonly version: string;
  readonly nuspec: Nuspec;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Lower-case hex; PackageHash is its base64 form (spec nuget-v2 section 1, point 13). */
  readonly sha512: string;
  readonly sizeBytes: number;
  readonly published: Date;
  /** False for packages that were unlisted in the feed they come from. */
  readonly isListed?: boolean;
  /** The whole package, stored with the row until its blob is durable as a file (blobs/pending-blobs.ts). */
  readonly pendingBytes?: Buffer | undefined;
  /** Of the upload (blobs/blob-claims.ts). */
  readonly claim?: string | undefined;
};

/** The content of a nuspec, without id and version. */
export type RowNuspec = Omit<Nuspec, 'id' | 'version'>;

export type PackageRow = {
  readonly id: string;
  readonly version: string;
  readonly normalizedVersion: string;
  readonly isPrerelease: boolean;
  readonly isListed: boolean;
  /** In the requested view, by one rule for every route (spec nuget-v2 12.4). */
  readonly isLatest: boolean;
  readonly isAbsoluteLatest: boolean;
  /** Rows with equal content may share one object. */
  readonly nuspec: RowNuspec;
  readonly sha256: string;
  readonly sha512: string;
  readonly sizeBytes: number;
  readonly created: Date;
  readonly published: Date;
  readonly lastEdited: Date;
  /** Of all versions of the id together. */
  readonly downloads: number;
  readonly versionDownloads: number;
};

/** What a download needs to know about a version. */
export type PackageFile = Pick<PackageRow, 'id' | 'normalizedVersion' | 'sha256' | 'sizeBytes'>;

/** What a list of versions shows for each of them. */
export type VersionRow = Pick<PackageRow, 'id' | 'version' | 'normalizedVersion' | 'versionDownloads'>;

/** What a purge removed: `buf 1.32.0`, `dl/buf/1.32.0/buf-windows-amd64.exe`. */
export type Purged = {
  readonly files: readonly string[];
  /** Bytes that other rows still name, such as the same exe under another version; they stay. */
  readonly kept: readonly { readonly sha256: string; readonly names: readonly string[] }[];
};

/**
 * `pending`: some small blobs of it are not durable yet; flush them and try again. `rolling out`: an open rollout needs it.
 * `overtaken`: the bucket has moved since, perhaps to this very version; `unpublished`: it is still to get what the server has decided.
 */
export type PurgeRefusal = 'missing' | 'pending' | 'rolling out' | 'overtaken' | 'unpublished';

/** How far the bucket that several servers share is (bucket/shared-history.ts). */
export type BucketMark = { readonly generation: number; readonly id: string };

/** Reading on behalf of a client. */
export type CatalogReader = Pick<PackageReads, 'query' | 'count' | 'watch'>;

/**
 * Whether a page, and the number of rows on all pages if that was asked for, still are what they were at a revision: the packages, or
 * the counts of downloads that they show too.
 */
export type Unchanged = (what: keyof RevisionNumbers, since: number) => boolean;

/** Reading packages. */
export interface PackageReads {
  /** Any version, whatever its SemVer level and whether listed; `view` only decides the latest flags. */
  find(id: string, version: string, view?: SemVerView): Promise<PackageRow | undefined>;
  /** The newest listed stable version of an id. */
  findLatest(id: string): Promise<PackageRow | undefined>;
  /** Like `find`, or without a version like `findLatest`, but reads no texts. */
  findFile(id: string, version?: string): Promise<PackageFile | undefined>;
  query(query: PackageQuery): Promise<PackageRow[]>;
  /** The number of rows that match, ignoring skip and take. */
  count(query: PackageQuery): Promise<number>;
  /** Call it before the query. Undefined when only the database can tell what changed. */
  watch(query: PackageQuery, wantsTotal: boolean): Unchanged | undefined;
  /**
   * The listed versions of some ids, by the id in lower case: the newest of each, at most `each`, newest first. It reads no
   * texts.
   */
  versionsOf(
    ids: readonly string[],
    seen: Pick<PackageQuery, 'view' | 'includePrerelease'>,
    each: number,
  ): Promise<ReadonlyMap<string, readonly VersionRow[]>>;
  /** The same queries on behalf of a client: where long ones have to wait, clients with different addresses take turns. */
  readerFor(address: string | undefined): CatalogReader;
  isPurged(id: string, version: string): Promise<boolean>;
  /** The number of versions, listed or not. */
  size(): Promise<number>;
  /** Reads every row; for monitoring. `bytes` is the size of all packages. */
  totals(): Promise<{ readonly ids: number; readonly versions: number; readonly bytes: number }>;
  /** @throws when the database does not answer */
  ping(): Promise<void>;
}

/** Changing packages. Each change is durable, together with its audit entry, when its promise resolves. */
export interface PackageWrites {
  /** Inserts the row, recomputes the latest flags of the id and writes the audit entry (with the reason), in one transaction. */
  add(pkg: NewPackage, by: Actor, reason?: string): Promise<'added' | 'exists' | 'purged'>;
  /** A change is written together with its audit entry. */
  setListed(
    id: string,
    version: string,
    isListed: boolean,
    by: Actor,
    reason?: string,
  ): Promise<'changed' | 'unchanged' | 'missing'>;
  /**
   * Removes all rows of a version for good, held or not, its payloads' too, in one transaction with its audit entries; the
   * version can never be used again. `unoffered`: the bucket did not offer the version, and where servers share it, how far it was then;
   * other servers then check again what they are about to publish. Without it nothing is asked, and the bucket will not get the
   * version.
   */
  purge(
    id: string,
    version: string,
    by: Actor,
    reason: string,
    unoffered?: { readonly seen?: BucketMark | undefined },
  ): Promise<Purged | PurgeRefusal>;
  /** Counted in memory and written in batches; `flush` writes the rest. */
  countDownload(id: string, version: string): void;
  flush(): Promise<void>;
}

/**
 * The port to the packages of the feed. Writing the row publishes a package: `add` returns when it is durable. Ids are compared
 * in any case, versions by their normalized form without metadata, so any spelling works. Contract suite:
 * test/contract/catalog.ts.
 */
export interface Catalog extends PackageReads, PackageWrites {}

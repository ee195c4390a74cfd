import type { Nuspec } from '../../formats/nuspec.ts';
import type { Actor } from '../audit/audit.ts';
import type { PackageQuery, SemVerView } from './query.ts';

/** What publication records of one package version. Bytes live in the blob store under `sha256`. */
export type NewPackage = {
  /** Display casing of this push; the catalog keeps that of the id's first push (spec nuget-v2 12.5). */
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
  /** False for what comes unlisted from another feed. */
  readonly isListed?: boolean;
  /** The whole package, kept with its row where its blob is not durable as a file yet (blobs/pending-blobs.ts). */
  readonly pendingBytes?: Buffer | undefined;
};

/** What a nuspec says beside id and version. */
export type RowNuspec = Omit<Nuspec, 'id' | 'version'>;

export type PackageRow = {
  readonly id: string;
  readonly version: string;
  readonly normalizedVersion: string;
  readonly isPrerelease: boolean;
  readonly isListed: boolean;
  /** In the view that was asked for; one rule for every route (spec nuget-v2 12.4). */
  readonly isLatest: boolean;
  readonly isAbsoluteLatest: boolean;
  /** Rows that say the same may share it. */
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

/** What a download needs of a version. */
export type PackageFile = Pick<PackageRow, 'id' | 'normalizedVersion' | 'sha256' | 'sizeBytes'>;

/** What a list of versions shows of one. */
export type VersionRow = Pick<PackageRow, 'id' | 'version' | 'normalizedVersion' | 'versionDownloads'>;

/** What a purge took away: `buf 1.32.0`, `dl/buf/1.32.0/buf-windows-amd64.exe`. */
export type Purged = {
  readonly files: readonly string[];
  /** Bytes that others still name, such as the same exe under another version: those stay. */
  readonly kept: readonly { readonly sha256: string; readonly names: readonly string[] }[];
};

/** What a route asks on behalf of a client. */
export type CatalogReader = Pick<PackageReads, 'query' | 'count'>;

/** What can be asked about packages. */
export interface PackageReads {
  /** Any version, whatever its SemVer level or listing; `view` only decides the latest flags. */
  find(id: string, version: string, view?: SemVerView): Promise<PackageRow | undefined>;
  /** The newest listed stable version of an id. */
  findLatest(id: string): Promise<PackageRow | undefined>;
  /** As `find`, or without a version as `findLatest`; it reads no texts. */
  findFile(id: string, version?: string): Promise<PackageFile | undefined>;
  query(query: PackageQuery): Promise<PackageRow[]>;
  /** How many rows the query has, whatever its skip and take. */
  count(query: PackageQuery): Promise<number>;
  /** The listed versions of some ids, by the id in lower case: of each the newest, at most `each`, newest first. It reads no texts. */
  versionsOf(
    ids: readonly string[],
    seen: Pick<PackageQuery, 'view' | 'includePrerelease'>,
    each: number,
  ): Promise<ReadonlyMap<string, readonly VersionRow[]>>;
  /** The same questions for a client: where long ones have to wait, clients of different addresses take turns. */
  readerFor(address: string | undefined): CatalogReader;
  isPurged(id: string, version: string): Promise<boolean>;
  /** How many versions there are, listed or not. */
  size(): Promise<number>;
  /** Reads every row; for those who watch the server. `bytes`: of all packages. */
  totals(): Promise<{ readonly ids: number; readonly versions: number; readonly bytes: number }>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
}

/** What changes packages. Each change is durable, together with its audit entry, when its promise resolves. */
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
   * Takes the rows of a version away for good, its payloads' too, in one transaction with its audit entries; the version is
   * never used again. `unsettled`: small blobs of it wait to become durable; settle them and ask again.
   */
  purge(id: string, version: string, by: Actor, reason: string): Promise<Purged | 'missing' | 'unsettled'>;
  /** Kept in memory and written in batches; `flush` writes what is waiting. */
  countDownload(id: string, version: string): void;
  flush(): Promise<void>;
}

/**
 * The port to what packages exist. A row is the moment of publication: `add` returns after it is durable.
 * Ids are compared whatever their case, versions by their normalised form without metadata, so any spelling may be given.
 * Contract suite: test/contract/catalog.ts.
 */
export interface Catalog extends PackageReads, PackageWrites {}

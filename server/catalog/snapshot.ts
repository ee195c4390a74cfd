import type { Audit } from '../audit/audit.ts';
import type { Payload } from './payloads.ts';

export type SnapshotPackage = {
  readonly id: string;
  readonly version: string;
  readonly isListed: boolean;
  readonly published: Date;
  readonly sha256: string;
  readonly sha512: string;
  readonly sizeBytes: number;
};

/** A blob with every row that names it. */
export type NamedBlob = {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The SHA-512 according to the packages' rows; more than one when a row is wrong. */
  readonly sha512s: readonly string[];
  /** `buf 1.32.0` for a package, `dl/buf/1.32.0/buf-windows-amd64.exe` for a payload. */
  readonly names: readonly string[];
};

/** A copy of the database at one moment, so that reading it blocks nobody. Rows are read one by one. */
export interface CatalogSnapshot {
  readonly file: string;
  /** Undefined in a database from before the audit log existed. */
  readonly audit: Pick<Audit, 'list'> | undefined;
  counts(): Promise<{ readonly packages: number; readonly payloads: number; readonly keys: number }>;
  /** By id, then version. */
  packages(): AsyncIterable<SnapshotPackage>;
  payloads(): AsyncIterable<Payload>;
  /** By SHA-256. */
  blobs(): AsyncIterable<NamedBlob>;
  namesBlob(sha256: string): Promise<boolean>;
  isPurged(id: string, version: string): Promise<boolean>;
  findPayload(tool: string, version: string, file: string): Promise<Payload | undefined>;
  /** The faults that the database finds in its own file; empty when it is sound. */
  findDamage(): Promise<readonly string[]>;
  /** Ids whose latest flags do not match their versions (spec nuget-v2 12.4). */
  findWrongLatest(): Promise<readonly string[]>;
  close(): Promise<void>;
}

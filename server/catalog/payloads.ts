import type { Actor } from '../audit/audit.ts';

/** A file that Scoop downloads: /dl/TOOL/VERSION/FILE. Its bytes are in the blob store under `sha256`. */
export type Payload = {
  readonly tool: string;
  readonly version: string;
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly created: Date;
};

/** `claim`: of the upload (blobs/blob-claims.ts). */
export type NewPayload = Payload & { readonly claim?: string | undefined };

/** The port to payloads. They are immutable (spec scoop section 4: a cached file is never revalidated). */
export interface Payloads {
  /**
   * Durable when it returns, with an audit entry if it is new. `differs`: exists with other bytes; `purged`: the version is gone
   * for good.
   */
  add(payload: NewPayload, by: Actor): Promise<'added' | 'same' | 'differs' | 'purged'>;
  /** Names must match exactly. */
  find(tool: string, version: string, file: string): Promise<Payload | undefined>;
  list(tool: string, version: string): Promise<Payload[]>;
  /** Of all payloads. */
  totalBytes(): Promise<number>;
}

import type { Actor } from '../audit/audit.ts';

/** A machine that asked under its own addresses. */
export type KnownClient = {
  readonly id: string;
  /** Days, as `2026-11-29` in UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
};

/** What a machine downloaded last of a package over NuGet (choco, nuget.exe). */
export type ClientDownload = {
  readonly packageId: string;
  readonly version: string;
  /** A day, as `2026-11-29` in UTC. */
  readonly day: string;
};

/** The port to the clients that were seen. Ids are those of `readClientId`. */
export interface Clients {
  /**
   * Notes that it asked today; written in batches. False: it is not recorded, since there are too many new ids, from this
   * address in this hour or at all.
   */
  see(id: string, from: string | undefined): boolean;
  /** Notes that a recorded client has downloaded a whole package; written in batches. */
  noteDownload(id: string, packageId: string, version: string): void;
  /** The version that it downloaded last of each package, by package id. */
  downloads(id: string): Promise<ClientDownload[]>;
  /** By id, from the one after `after` on. */
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<KnownClient[]>;
  find(id: string): Promise<KnownClient | undefined>;
  count(): Promise<number>;
  /** `admitted`: it stays, since it is in an open rollout. Durable when it returns, with its audit entry. */
  forget(id: string, by: Actor): Promise<'forgotten' | 'missing' | 'admitted'>;
  flush(): Promise<void>;
}

/** What was fetched: a package, or with `file` a payload of Scoop. */
export type Download = {
  readonly id: string;
  /** Normalised. */
  readonly version: string;
  readonly file?: string | undefined;
};

/** Who fetched it, as far as the request told. */
export type Recipient = {
  /** Where reading needs a key. */
  readonly keyName?: string | undefined;
  /** The client's address as TRUST_PROXY sees it. */
  readonly from?: string | undefined;
  /** The client program, as it calls itself. */
  readonly client?: string | undefined;
};

/** All downloads of one thing by one recipient. */
export type DownloadCount = Download &
  Recipient & { readonly count: number; readonly first: Date; readonly last: Date };

/**
 * The port to who has what. It answers the question after a bad release, so it keeps rows, not every download: those of
 * one recipient are one row, and the rows that were touched longest ago go first when there are too many.
 */
export interface Downloads {
  /** Kept in memory and written in batches. */
  note(what: Download, by: Recipient): void;
  /** Newest first: of an id or tool in any case, and of one version where one is named. */
  list(id: string, version?: string): Promise<DownloadCount[]>;
  flush(): Promise<void>;
}

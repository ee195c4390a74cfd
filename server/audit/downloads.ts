/** What was downloaded: a package, or with `file` a payload for Scoop. */
export type Download = {
  readonly id: string;
  /** Normalized. */
  readonly version: string;
  readonly file?: string | undefined;
};

/** Who downloaded it, as far as the request shows. */
export type Recipient = {
  /** Set where reading needs a key. */
  readonly keyName?: string | undefined;
  /** The client's address as TRUST_PROXY sees it. */
  readonly from?: string | undefined;
  /** The name that the client program gives itself. */
  readonly client?: string | undefined;
};

/** All downloads of one thing by one recipient. */
export type DownloadCount = Download &
  Recipient & { readonly count: number; readonly first: Date; readonly last: Date };

/**
 * The port to who has downloaded what, which is the question after a bad release. It keeps one row per recipient instead of every
 * download, and drops the least recently updated rows when there are too many.
 */
export interface Downloads {
  /** Kept in memory and written in batches. */
  note(what: Download, by: Recipient): void;
  /** Newest first. The id or tool in any case; all versions unless one is named. */
  list(id: string, version?: string): Promise<DownloadCount[]>;
  flush(): Promise<void>;
}

import type { ClientHead, Link, ViewKey } from './client-chain.ts';

/** A link with what its commit is made from: the same one on every server. */
export type StoredLink = Link & { readonly at: Date; readonly commit: string };

/** What a client is served, and what has changed by it. */
export type Serving = {
  readonly client: string;
  readonly head: ClientHead;
  /** The number of the link. */
  readonly link: number;
};

/**
 * The port to the line of commits that clients pull (client-chain.ts). Its rows are the truth: commits that are missing are made
 * again from them. Contract suite: test/contract/client-links.ts.
 */
export interface ClientLinks {
  headOf(client: string): Promise<ClientHead | undefined>;
  /** The last link that any client of a view was served; 0 for none. */
  servedTo(view: ViewKey): Promise<number>;
  /** Those from this number on that were made on this commit of main; newest first. */
  linksOn(main: string, from: number): Promise<StoredLink[]>;
  newest(): Promise<StoredLink | undefined>;
  /** Oldest first. */
  list(): Promise<StoredLink[]>;
  /** The text behind git's id of a blob in the offers of a link. */
  textOf(blob: string): Promise<string | undefined>;
  /**
   * Writes down what a client is about to be served, with the link itself where it is new and the texts of its blobs. Durable
   * when it resolves. False, and nothing is written, where another server has made a link since the one before.
   */
  serve(serving: Serving, made?: StoredLink, texts?: ReadonlyMap<string, string>): Promise<boolean>;
  /** Takes away the links from this number on; for a bucket that is older than the database. */
  dropFrom(number: number): Promise<void>;
}

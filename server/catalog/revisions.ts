/** The numbers of one state of the catalog. They grow with every change that an answer could show. */
export type RevisionNumbers = {
  /**
   * The last change of any kind: publication, listing, counts. Of an id it is the number at the last change of a package with that
   * id, or a later one: an answer about the id that was made at this number or later is good.
   */
  all(id?: string): number;
  /** The same for publication and listing, not for counts. */
  packages(id?: string): number;
};

/**
 * The port to how new what was answered before still is. Every cached answer asks, so that the usual case is an answer from memory
 * without a turn of the event loop (decision 26). Contract suite: test/contract/catalog.ts.
 */
export interface Revisions {
  /** From memory, unless a change that was answered elsewhere may be missing there: undefined then, and `read` asks. */
  known(): RevisionNumbers | undefined;
  /** From the database itself, with everything that was answered anywhere before this was called. Rejects when it does not answer. */
  read(): Promise<RevisionNumbers>;
}

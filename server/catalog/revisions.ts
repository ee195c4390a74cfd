/** The revision numbers of one state of the catalog. They grow with every change that an answer could show. */
export type RevisionNumbers = {
  /**
   * The revision of the last change of any kind: publication, listing, counts. With an id, that of its last change or of a later
   * one: an answer about the id that was made at this revision or later is current.
   */
  all(id?: string): number;
  /** The same for publication and listing only, not for counts. */
  packages(id?: string): number;
};

/**
 * The port that decides whether a cached answer is still current. Every cached answer asks it, so the usual case is an answer
 * from memory without a turn of the event loop (decision 26). Contract suite: test/contract/catalog.ts.
 */
export interface Revisions {
  /**
   * From memory; undefined when memory may lack a change that another server has already confirmed, and then `read` has to ask.
   */
  known(): RevisionNumbers | undefined;
  /**
   * From the database itself, including everything that any server confirmed before this call. Rejects when it does not answer.
   */
  read(): Promise<RevisionNumbers>;
}

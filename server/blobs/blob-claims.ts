/**
 * The port to claims: who stores bytes in an object store that servers share claims them first, so that nobody removes what is about to
 * be named. In the database a removal and the row that names the bytes meet:
 *
 *     a push       claim, unless they are being removed -> upload -> row, which uses the claim up and fails without it
 *     a removal    begin, unless a row or a claim is there -> delete the object -> end
 */
export interface BlobClaims {
  /**
   * Waits while these bytes are being removed.
   * @throws FeedError BLOB_BEING_REMOVED when that takes long
   */
  claim(sha256: string): Promise<string>;
  /** Does nothing if it was used up. */
  release(claim: string): Promise<void>;
}

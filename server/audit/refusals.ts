/** What was refused, as far as it is kept: never a secret, nor anything else that whoever was refused has written. */
export type Refusal = {
  /** Of the error, such as KEY_EXPIRED; PUSH_REFUSED: by the rules of the bucket. */
  readonly code: string;
  /** The part of the address space, as in the log: `feed`, `payload`, `git`, `api`; `*`: several. */
  readonly route: string;
  /** Set where the whole secret of a key was sent, valid or not. */
  readonly keyId?: string | undefined;
  readonly keyName?: string | undefined;
  /** The client's address; of IPv6 the network of 64 bits. */
  readonly from?: string | undefined;
};

/** Equal refusals within some seconds, on one server. Without `from`: of several addresses, since too many were refused in a minute. */
export type RefusalCount = Refusal & {
  /** Rises over all servers, in the order in which they were written, also over the restore of an older backup; with gaps. */
  readonly number: number;
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
};

/**
 * The port to refusals: failed logins, keys that may not do what they were used for, and refused pushes. They are no part of the
 * chained audit log. Whatever anybody sends, they take a limited room: some rows for each write, and the newest so many rows.
 */
export interface Refusals {
  /** Kept in memory and written in batches; each row is written once and never changed. */
  note(refusal: Refusal): void;
  /** Those with a larger number, oldest first. */
  list(query: { readonly after: number; readonly limit: number }): Promise<RefusalCount[]>;
  flush(): Promise<void>;
}

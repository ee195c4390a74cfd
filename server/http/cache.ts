/** How long an answer may be kept: one of these, by name, for every answer. */
export type CachePolicies = {
  /** Bytes under an address that never gets others. */
  readonly immutable: string;
  /** Kept, but asked for each time. */
  readonly revalidate: string;
  readonly never: string;
};

/** Where reading needs a key, shared caches keep nothing. */
export function cachePolicies(needsKey: boolean): CachePolicies {
  const who = needsKey ? 'private' : 'public';
  return {
    immutable: `${who}, max-age=31536000, immutable`,
    revalidate: `${who}, no-cache`,
    never: 'no-store',
  };
}

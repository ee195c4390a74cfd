/** How long an answer may be cached: every answer uses one of these. */
export type CachePolicies = {
  /** For addresses whose bytes never change. */
  readonly immutable: string;
  /** May be stored, but must be revalidated each time. */
  readonly revalidate: string;
  readonly never: string;
};

/** Where reading needs a key, shared caches must not store anything. */
export function cachePolicies(needsKey: boolean): CachePolicies {
  const who = needsKey ? 'private' : 'public';
  return {
    immutable: `${who}, max-age=31536000, immutable`,
    revalidate: `${who}, no-cache`,
    never: 'no-store',
  };
}

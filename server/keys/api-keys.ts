/** What a key may do (interface.md section 3). */
export const scopes = ['read', 'push:beta', 'push', 'unlist', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who asks: made from a key by `http/auth.ts`. The key itself is not in it. */
export type Principal = {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Globs over package ids and tool names; empty means all. */
  readonly ids: readonly string[];
};

export type KeyRecord = Principal & {
  readonly created: Date;
  readonly lastUsed: Date | undefined;
};

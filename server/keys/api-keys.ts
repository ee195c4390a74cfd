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

const implied: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  'push:beta': ['push:beta'],
  push: ['push', 'push:beta'],
  unlist: ['unlist'],
  admin: scopes,
};

/** Whether the principal may do this, to this package or tool when one is named. Ids and globs (`*`, `?`) ignore case. */
export function allows(principal: Principal, scope: Scope, subjectId?: string): boolean {
  const hasScope = principal.scopes.some((held) => implied[held].includes(scope));
  return hasScope && (subjectId === undefined || covers(principal.ids, subjectId));
}

function covers(globs: readonly string[], id: string): boolean {
  return globs.length === 0 || globs.some((glob) => globPattern(glob).test(id));
}

function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'is');
}

import { matchesGlob } from './glob.ts';

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
  /** Kept for the trail; it opens nothing any more. */
  readonly revoked: Date | undefined;
};

const implied: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  'push:beta': ['push:beta'],
  push: ['push', 'push:beta'],
  unlist: ['unlist'],
  admin: scopes,
};

/**
 * Whether the principal may do this: to the package or tool `subjectId`, or to anything at all when none is named.
 * A key with ids administers nothing that is about no id in particular, such as keys.
 */
export function allows(principal: Principal, scope: Scope, subjectId?: string): boolean {
  const hasScope = principal.scopes.some((held) => implied[held].includes(scope));
  const isLimited = principal.ids.length > 0;
  if (subjectId === undefined) return hasScope && !(isLimited && scope === 'admin');
  return hasScope && (!isLimited || principal.ids.some((glob) => matchesGlob(glob, subjectId)));
}

/** Why a principal may not do something: it lacks the scope everywhere, or it is limited to other ids. */
export function lacks({ scopes: held, ids }: Principal, scope: Scope): 'KEY_SCOPE' | 'KEY_IDS' {
  const hasScope = held.some((one) => implied[one].includes(scope));
  return hasScope && ids.length > 0 ? 'KEY_IDS' : 'KEY_SCOPE';
}

import { matchesGlob } from './glob.ts';

/** What a key may do (interface.md section 3). */
export const scopes = [
  'read',
  'push:beta',
  'push',
  'unlist',
  'rollout',
  'approve',
  'alert',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];

/** Who asks: made from a key by `http/auth.ts`. The key itself is not in it. */
export type Principal = {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Globs over package ids and tool names; empty means all. */
  readonly ids: readonly string[];
};

/** All that a key was made with, but for its secret. */
export type KeyTerms = Principal & {
  /** Globs over client ids; empty means all. Nothing asks for them yet. */
  readonly clients: readonly string[];
  /** Networks that it may be used from (formats/ip-address.ts); empty means all. */
  readonly networks: readonly string[];
  /** Who answers for it, such as a person or a team. */
  readonly owner: string | undefined;
  readonly expires: Date | undefined;
};

export type KeyRecord = KeyTerms & {
  readonly created: Date;
  readonly lastUsed: Date | undefined;
  /** When it last got a new secret. */
  readonly rotated: Date | undefined;
  /** Kept for the audit log; it opens nothing any more. */
  readonly revoked: Date | undefined;
};

const implied: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  'push:beta': ['push:beta'],
  push: ['push', 'push:beta'],
  unlist: ['unlist'],
  rollout: ['rollout'],
  approve: ['approve'],
  alert: ['alert'],
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

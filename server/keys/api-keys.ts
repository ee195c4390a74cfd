import { matchesGlob } from './glob.ts';

/** What a key may do (contract section 3). */
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

/** The holder of a key, as `http/auth.ts` found it. The key itself is not included. */
export type Principal = {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Globs over package ids and tool names; empty means all. */
  readonly ids: readonly string[];
};

/** All settings of a key, without its secret. */
export type KeyTerms = Principal & {
  /** Globs over the clients whose addresses it may read where READ_AUTH is set; empty means all. */
  readonly clients: readonly string[];
  /** Networks that it may be used from (formats/ip-address.ts); empty means all. */
  readonly networks: readonly string[];
  /** The person or team who is responsible for it. */
  readonly owner: string | undefined;
  readonly expires: Date | undefined;
};

export type KeyRecord = KeyTerms & {
  readonly created: Date;
  readonly lastUsed: Date | undefined;
  /** When its secret was last replaced. */
  readonly rotated: Date | undefined;
  /** Kept for the audit log; the key no longer works. */
  readonly revoked: Date | undefined;
  /** The trusted publisher (trust/trust.ts) that a CI job got it for, by id; it is short-lived and taken out of the list some days later. */
  readonly publisher: string | undefined;
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
 * Whether the principal may do this: to the package or tool `subjectId`, or in general when none is given. A key that is limited
 * to ids has no `admin` rights over things that belong to no id, such as keys.
 */
export function allows(principal: Principal, scope: Scope, subjectId?: string): boolean {
  const hasScope = principal.scopes.some((held) => implied[held].includes(scope));
  const isLimited = principal.ids.length > 0;
  if (subjectId === undefined) return hasScope && !(isLimited && scope === 'admin');
  return hasScope && (!isLimited || principal.ids.some((glob) => matchesGlob(glob, subjectId)));
}

/** Why a principal may not do something: it lacks the scope altogether, or is limited to other ids. */
export function lacks({ scopes: held, ids }: Principal, scope: Scope): 'KEY_SCOPE' | 'KEY_IDS' {
  const hasScope = held.some((one) => implied[one].includes(scope));
  return hasScope && ids.length > 0 ? 'KEY_IDS' : 'KEY_SCOPE';
}

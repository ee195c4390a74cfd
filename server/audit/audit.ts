/** Who makes a change, as the audit log names them. */
export type Actor = {
  readonly keyId: string;
  readonly keyName: string;
  /** The client's address as TRUST_PROXY sees it. */
  readonly from: string;
  /**
   * Whoever holds the key makes the change now, and makes none once the key is revoked. Missing where the server does later what was
   * decided before.
   */
  readonly isPresent?: true;
};

/** Whoever may use the data folder itself: the operator's verbs and `start`. */
export const operator: Actor = { keyId: 'operator', keyName: 'operator', from: 'this machine' };

type KeyHolder = { readonly keyId: string; readonly name: string };

/** The holder of a key, at an address: whoever makes the request that runs. */
export function actorOf({ keyId, name }: KeyHolder, from: string | undefined): Actor {
  return { keyId, keyName: name, from: from ?? 'unknown', isPresent: true };
}

const changeKinds = [
  'package published',
  'package unlisted',
  'package listed again',
  'package purged',
  'package held',
  'held package discarded',
  'payload added',
  'payload purged',
  'key created',
  'key rotated',
  'key revoked',
  'token exchanged',
  'publisher added',
  'publisher removed',
  'issuer set',
  'issuer removed',
  'bucket moved',
  'ring set',
  'ring removed',
  'client forgotten',
  'rollout started',
  'rollout changed',
  'packages imported',
  'data restored',
] as const;

/** What changed. Each kind sets the fields that apply to it. */
export type Change = {
  readonly kind: (typeof changeKinds)[number];
  /** Package id, tool, key id, git ref, ring, publisher id or issuer; for imports and restores where the data came from. */
  readonly subject: string;
  readonly version?: string | undefined;
  readonly file?: string | undefined;
  /** SHA-256 of the bytes in lower-case hex; `OLD->NEW` object ids for a git ref. */
  readonly digest?: string | undefined;
  /** One line for people, such as the scopes of a key. */
  readonly detail?: string | undefined;
};

/** An import from another feed or a folder; each of its packages also has its own entry. */
export function importOf(source: string, versions: number): Change {
  return { kind: 'packages imported', subject: source, detail: `${versions} versions` };
}

/** One entry of the audit log. Its `hash` covers all other fields, including `previous`, the hash of the entry before. */
export type AuditEntry = {
  /** 1, 2, 3 ... without gaps. */
  readonly number: number;
  readonly at: Date;
  readonly change: Change;
  readonly by: Actor;
  readonly previous: string;
  readonly hash: string;
};

export type AuditQuery = {
  readonly since?: Date | undefined;
  /** A package id, tool, key id or ref, in any case. */
  readonly subject?: string | undefined;
  /** Only entries with a larger number, for the next page. */
  readonly after?: number | undefined;
  readonly limit: number;
};

/** The last entry. A copy kept elsewhere proves later that nothing was cut off. */
export type AuditHead = { readonly number: number; readonly hash: string };

/**
 * The port to the audit log. Packages, payloads and keys write their entry in the transaction of the change itself (their ports
 * take the Actor); `record` is for changes outside of the database.
 */
export interface Audit {
  /** Durable when it returns. */
  record(changes: readonly Change[], by: Actor): Promise<void>;
  /** Oldest first. */
  list(query: AuditQuery): Promise<AuditEntry[]>;
  head(): Promise<AuditHead>;
}

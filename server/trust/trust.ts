import type { Actor } from '../audit/audit.ts';
import type { KeyTerms } from '../keys/api-keys.ts';
import type { IssuerKey } from './issuer-keys.ts';

/** Whose tokens are exchanged for keys, and what these keys may do. Every text is compared exactly. */
export type Publisher = Pick<KeyTerms, 'scopes' | 'ids' | 'networks' | 'owner' | 'expires'> & {
  readonly id: string;
  /** No other publisher has it. */
  readonly name: string;
  /** The claim `iss`. */
  readonly issuer: string;
  /** The only one in the claim `aud`. */
  readonly audience: string;
  /** The claim `sub`. */
  readonly subject: string;
  /** Further claims, such as the numeric id of a repository, whose name somebody else may have one day. */
  readonly claims: readonly (readonly [name: string, value: string])[];
  readonly created: Date;
};

export type NewPublisher = Omit<Publisher, 'id' | 'created'>;

/** What is known of an issuer. */
export type Issuer = {
  /** Exactly as its tokens name it. */
  readonly url: string;
  readonly keys: readonly IssuerKey[];
  /** Where the keys came from: an address, or a file. */
  readonly source: string;
  readonly fetched: Date;
};

export type NewIssuer = Omit<Issuer, 'fetched'>;

/** A good token, about to be exchanged. */
export type Redemption = {
  readonly publisher: Publisher;
  /** The key of its issuer that the token was signed with. */
  readonly signer: IssuerKey;
  /** Equal for whatever counts as the same token. */
  readonly token: Buffer;
  /** When no server takes the token any more. */
  readonly tokenEnds: Date;
  /** Of the key. */
  readonly keyName: string;
  readonly expires: Date;
  /** Which run it was, for the audit log. */
  readonly run: string;
  readonly from: string;
};

export type Exchanged = { readonly id: string; readonly key: string };

/** The port to trusted publishing. Each change is durable when it returns, with its audit entry. */
export interface Trust {
  add(publisher: NewPublisher, by: Actor): Promise<{ readonly id: string } | 'exists'>;
  /** Oldest first, without removed ones. */
  list(): Promise<Publisher[]>;
  /** When it returns, the keys that were made for it are revoked. */
  remove(id: string, by: Actor): Promise<'removed' | 'missing'>;
  /** Replaces all keys of an issuer. */
  setIssuer(issuer: NewIssuer, by: Actor): Promise<void>;
  findIssuer(url: string): Promise<Issuer | undefined>;
  /** By address. */
  listIssuers(): Promise<Issuer[]>;
  /** When it returns, keys that were made for its tokens are revoked. */
  removeIssuer(url: string, by: Actor): Promise<'removed' | 'missing'>;
  /**
   * Makes the key, once for each token on all servers; `gone`: the publisher, or the issuer's key, was removed
   * meanwhile; `many`: the publisher has had too many keys in the last hours.
   */
  redeem(redemption: Redemption): Promise<Exchanged | 'spent' | 'gone' | 'many'>;
}

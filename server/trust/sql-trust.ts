import { dayMs } from '../../formats/duration.ts';
import type { Actor } from '../audit/audit.ts';
import type { Connection } from '../database/connection.ts';
import type { Transaction } from '../database/transact.ts';
import type { Scope } from '../keys/api-keys.ts';
import { hashKey, newId, newSecret } from '../keys/secret.ts';
import { insertKey } from '../keys/sql-rows.ts';
import { type IssuerKey, readStoredKeys, writeKeySet } from './issuer-keys.ts';
import { describePublisher } from './publisher-json.ts';
import type { Issuer, NewIssuer, NewPublisher, Publisher, Redemption, Trust } from './trust.ts';

/** How long keys of CI jobs stay in the list after their end; the audit log has them for good. */
const keptMs = 3 * dayMs;
/** Of one publisher, that are good or ended within the hour: a job that loops must not fill lists and log. */
const maxRecentKeys = 500;
const recentMs = 3_600_000;
/** Removed with each exchange, so that no exchange has to wait for thousands. */
const removedAtOnce = 100;
/** A server with a wrong clock must not make the others forget what they still take, nor take what they have forgotten. */
const forgetMs = dayMs;

/** Trusted publishing in SQLite. */
export function createSqlTrust(db: Connection, now: () => Date): Trust {
  const { prepare, transact } = db;

  function insert(id: string, wanted: NewPublisher, by: Actor, { record }: Transaction) {
    const at = now();
    const { name, issuer, audience, subject, claims, scopes, ids, networks, owner, expires } = wanted;
    if (prepare('SELECT 1 FROM publishers WHERE name = ? AND removed IS NULL').get(name)) return 'exists';
    const lists = [claims, scopes, ids, networks].map((list) => JSON.stringify(list));
    const sql = `INSERT INTO publishers
      (id, name, issuer, audience, subject, claims, scopes, ids, networks, owner, expires, created)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const ends = [owner ?? null, expires?.getTime() ?? null, at.getTime()];
    prepare(sql).run(id, name, issuer, audience, subject, ...lists, ...ends);
    record({ kind: 'publisher added', subject: id, detail: describePublisher(wanted) }, by, at);
    return { id };
  }

  function markRemoved(id: string, by: Actor, transaction: Transaction) {
    const at = now();
    const sql = 'UPDATE publishers SET removed = ? WHERE id = ? AND removed IS NULL RETURNING name';
    const row = prepare(sql).get(at.getTime(), id) as { name: string } | undefined;
    if (row === undefined) return 'missing';
    transaction.record({ kind: 'publisher removed', subject: id, detail: row.name }, by, at);
    endKeys([id], by, transaction);
    return 'removed';
  }

  /** Ends keys that were made for these publishers. */
  function endKeys(publishers: readonly string[], by: Actor, { record }: Transaction): void {
    const at = now();
    const sql = `UPDATE keys SET revoked = ? WHERE publisher = ? AND revoked IS NULL AND expires > ? RETURNING id, name`;
    for (const publisher of publishers) {
      const ended = prepare(sql).all(at.getTime(), publisher, at.getTime()) as { id: string; name: string }[];
      for (const { id, name } of ended) record({ kind: 'key revoked', subject: id, detail: name }, by, at);
    }
  }

  function writeIssuer({ url, keys, source }: NewIssuer, by: Actor, { record }: Transaction): void {
    const at = now();
    const text = writeKeySet(keys);
    const before = prepare('SELECT keys FROM issuers WHERE url = ?').pluck().get(url);
    const sql = `INSERT INTO issuers (url, keys, source, fetched) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET keys = excluded.keys, source = excluded.source, fetched = excluded.fetched`;
    prepare(sql).run(url, text, source, at.getTime());
    // A nightly refresh that brings nothing new is no change.
    if (before === text) return;
    const detail = `${keys.length === 1 ? 'key' : 'keys'} ${keys.map(({ kid }) => kid).join(' ')}, from ${source}`;
    record({ kind: 'issuer set', subject: url, detail }, by, at);
  }

  function deleteIssuer(url: string, by: Actor, transaction: Transaction) {
    const gone = prepare('DELETE FROM issuers WHERE url = ? RETURNING url').get(url);
    if (gone === undefined) return 'missing';
    transaction.record({ kind: 'issuer removed', subject: url }, by, now());
    const publishers = prepare('SELECT id FROM publishers WHERE issuer = ?').pluck().all(url) as string[];
    endKeys(publishers, by, transaction);
    return 'removed';
  }

  function spend({ token, tokenEnds }: Redemption): boolean {
    const old = 'SELECT hash FROM spent_tokens WHERE ends <= ? ORDER BY ends LIMIT ?';
    prepare(`DELETE FROM spent_tokens WHERE hash IN (${old})`).run(now().getTime() - forgetMs, removedAtOnce);
    const sql = 'INSERT INTO spent_tokens (hash, ends) VALUES (?, ?) ON CONFLICT DO NOTHING';
    return prepare(sql).run(token, tokenEnds.getTime()).changes === 1;
  }

  function makeKey(id: string, hash: Buffer, redemption: Redemption, { record }: Transaction) {
    const { publisher, keyName: name, expires, run, from } = redemption;
    const { scopes, ids, networks, owner } = publisher;
    const isThere = prepare('SELECT 1 FROM publishers WHERE id = ? AND removed IS NULL').get(publisher.id);
    if (isThere === undefined || !isKeyOf(publisher.issuer, redemption.signer)) return 'gone';
    if (recentKeys(publisher.id) >= maxRecentKeys) return 'many';
    if (!spend(redemption)) return 'spent';
    removeOldKeys();
    const at = now();
    insertKey(
      prepare,
      { name, scopes, ids, networks, owner, expires },
      { id, hash, at, publisher: publisher.id },
    );
    const terms = [`publisher ${publisher.name}`, scopes.join(' '), `expires ${expires.toISOString()}`];
    const detail = [...(run === '' ? [] : [run]), ...terms].join(', ');
    record({ kind: 'token exchanged', subject: id, detail }, { keyId: id, keyName: name, from }, at);
    return 'made';
  }

  /** Since the token was verified, the issuer may have been removed, or have got other keys. */
  function isKeyOf(issuer: string, { jwk }: IssuerKey): boolean {
    const text = prepare('SELECT keys FROM issuers WHERE url = ?').pluck().get(issuer) as string | undefined;
    const wanted = JSON.stringify(jwk);
    return text !== undefined && readStoredKeys(text).some((key) => JSON.stringify(key.jwk) === wanted);
  }

  function recentKeys(publisher: string): number {
    const sql = 'SELECT count(*) FROM keys WHERE publisher = ? AND expires > ?';
    return prepare(sql)
      .pluck()
      .get(publisher, now().getTime() - recentMs) as number;
  }

  function removeOldKeys(): void {
    const sql = 'SELECT id FROM keys WHERE publisher IS NOT NULL AND expires < ? LIMIT ?';
    const old = prepare(sql)
      .pluck()
      .all(now().getTime() - keptMs, removedAtOnce) as string[];
    for (const id of old) {
      // An older program beside this one may have rotated it.
      prepare('DELETE FROM old_secrets WHERE key_id = ?').run(id);
      prepare('DELETE FROM keys WHERE id = ?').run(id);
    }
  }

  return {
    add(publisher, by) {
      const id = newId();
      return transact((transaction) => insert(id, publisher, by, transaction));
    },
    async list() {
      const sql = 'SELECT * FROM publishers WHERE removed IS NULL ORDER BY created, id';
      return (prepare(sql).all() as RawPublisher[]).map(toPublisher);
    },
    remove: (id, by) => transact((transaction) => markRemoved(id, by, transaction)),
    setIssuer: (issuer, by) => transact((transaction) => writeIssuer(issuer, by, transaction)),
    async findIssuer(url) {
      const raw = prepare('SELECT * FROM issuers WHERE url = ?').get(url) as RawIssuer | undefined;
      return raw && toIssuer(raw);
    },
    async listIssuers() {
      return (prepare('SELECT * FROM issuers ORDER BY url').all() as RawIssuer[]).map(toIssuer);
    },
    removeIssuer: (url, by) => transact((transaction) => deleteIssuer(url, by, transaction)),
    async redeem(redemption) {
      const [id, key] = [newId(), newSecret()];
      const outcome = await transact((transaction) => makeKey(id, hashKey(key), redemption, transaction));
      return outcome === 'made' ? { id, key } : outcome;
    },
  };
}

type RawIssuer = { url: string; keys: string; source: string; fetched: number };

function toIssuer({ url, keys, source, fetched }: RawIssuer): Issuer {
  return { url, keys: readStoredKeys(keys), source, fetched: new Date(fetched) };
}

type RawPublisher = Omit<Record<keyof Publisher, string>, 'owner' | 'expires' | 'created'> & {
  owner: string | null;
  expires: number | null;
  created: number;
};

/** The lists were written by `insert` from values of these types. */
function toPublisher(raw: RawPublisher): Publisher {
  const { id, name, issuer, audience, subject, owner, expires, created } = raw;
  return {
    ...{ id, name, issuer, audience, subject },
    claims: JSON.parse(raw.claims) as [string, string][],
    scopes: JSON.parse(raw.scopes) as Scope[],
    ids: JSON.parse(raw.ids) as string[],
    networks: JSON.parse(raw.networks) as string[],
    owner: owner ?? undefined,
    expires: expires === null ? undefined : new Date(expires),
    created: new Date(created),
  };
}

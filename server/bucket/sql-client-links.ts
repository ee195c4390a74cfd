import type { Connection } from '../database/connection.ts';
import type { Prepare } from '../database/statements.ts';
import type { ClientHead } from './client-chain.ts';
import type { ClientLinks, StoredLink } from './client-links.ts';

const links = 'SELECT number, main, offers, at, commit_oid FROM client_links';

/** The line of commits that clients pull, in SQLite. */
export function createSqlClientLinks({ prepare, transact }: Connection): ClientLinks {
  return {
    async headOf(client) {
      const select = 'SELECT view, since FROM client_heads WHERE client = ?';
      return prepare(select).get(client) as ClientHead | undefined;
    },
    async servedTo(view) {
      const row = prepare('SELECT link FROM client_views WHERE view = ?').get(view);
      return (row as { link: number } | undefined)?.link ?? 0;
    },
    async linksOn(main, from) {
      const rows = prepare(`${links} WHERE number >= ? AND main = ? ORDER BY number DESC`).all(from, main);
      return (rows as RawLink[]).map(toLink);
    },
    async newest() {
      const row = prepare(`${links} ORDER BY number DESC LIMIT 1`).get() as RawLink | undefined;
      return row && toLink(row);
    },
    async list() {
      return (prepare(`${links} ORDER BY number`).all() as RawLink[]).map(toLink);
    },
    async textOf(blob) {
      const row = prepare('SELECT text FROM client_manifests WHERE blob = ?').get(blob);
      return (row as { text: string } | undefined)?.text;
    },
    serve: ({ client, head, link }, made, texts = new Map()) =>
      transact(() => {
        if (made !== undefined && made.number !== newestIn(prepare) + 1) return false;
        for (const [blob, text] of texts) {
          prepare('INSERT OR IGNORE INTO client_manifests (blob, text) VALUES (?, ?)').run(blob, text);
        }
        if (made !== undefined) {
          const { number, main, offers, at, commit } = made;
          const insert =
            'INSERT INTO client_links (number, main, offers, at, commit_oid) VALUES (?, ?, ?, ?, ?)';
          prepare(insert).run(number, main, offers, at.getTime(), commit);
        }
        prepare(upsertView).run(head.view, link);
        prepare(upsertHead).run(client, head.view, head.since);
        return true;
      }),
    dropFrom: (number) =>
      transact(() => {
        const last = number - 1;
        prepare('DELETE FROM client_views WHERE ? = 0').run(last);
        prepare('UPDATE client_views SET link = ? WHERE link > ?').run(last, last);
        prepare('UPDATE client_heads SET since = ? WHERE since > ?').run(last, last);
        prepare('DELETE FROM client_links WHERE number > ?').run(last);
      }),
  };
}

const upsertView = `INSERT INTO client_views (view, link) VALUES (?, ?)
  ON CONFLICT DO UPDATE SET link = max(link, excluded.link)`;
const upsertHead = `INSERT INTO client_heads (client, view, since) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET view = excluded.view, since = max(since, excluded.since)`;

function newestIn(prepare: Prepare): number {
  return prepare('SELECT coalesce(max(number), 0) FROM client_links').pluck().get() as number;
}

type RawLink = {
  readonly number: number;
  readonly main: string;
  readonly offers: string;
  readonly at: number;
  readonly commit_oid: string;
};

function toLink({ number, main, offers, at, commit_oid: commit }: RawLink): StoredLink {
  return { number, main, offers, at: new Date(at), commit };
}

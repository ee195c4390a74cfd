import type { Connection } from '../database/connection.ts';
import type { Rings } from './rings.ts';

/** Rings in SQLite. `changed` is called after each change, before it is confirmed. */
export function createSqlRings(
  { prepare, transact }: Connection,
  now: () => Date,
  changed: () => void = () => undefined,
): Rings {
  return {
    async list() {
      const rows = prepare('SELECT name, globs FROM rings ORDER BY name').all() as RawRing[];
      return rows.map(({ name, globs }) => ({ name, globs: JSON.parse(globs) as string[] }));
    },
    set: ({ name, globs }, by) =>
      transact(({ record, afterCommit }) => {
        afterCommit(changed);
        const upsert = `INSERT INTO rings (name, globs) VALUES (?, ?)
          ON CONFLICT DO UPDATE SET globs = excluded.globs`;
        prepare(upsert).run(name, JSON.stringify(globs));
        record({ kind: 'ring set', subject: name, detail: globs.join(' ') }, by, now());
      }),
    remove: (name, by) =>
      transact(({ record, afterCommit }) => {
        afterCommit(changed);
        const { changes } = prepare('DELETE FROM rings WHERE name = ?').run(name);
        if (changes === 0) return 'missing';
        record({ kind: 'ring removed', subject: name }, by, now());
        return 'removed';
      }),
  };
}

/** The globs were written by `set`. */
type RawRing = { readonly name: string; readonly globs: string };

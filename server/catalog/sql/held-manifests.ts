import type { Connection } from '../../database/connection.ts';
import type { Prepare } from '../../database/statements.ts';
import type { HeldManifest, HeldManifests } from '../held-manifests.ts';
import { isRollingOut } from './purge.ts';
import { packageKey } from './rows.ts';

const columns = 'tool, version, package_id, text, message, corrects';

/** Manifests of held versions, in SQLite. */
export function createSqlHeldManifests({ prepare, transact }: Connection): HeldManifests {
  return {
    put: (manifest) =>
      transact(() => {
        const { tool, version, packageId, text, message, corrects = null } = manifest;
        const found = findHeldManifest(prepare, tool, version);
        if (found !== undefined && !isSame(found, manifest)) return 'other';
        if (found !== undefined) {
          forgetLeftover(prepare, tool, version);
          return 'same';
        }
        const key = packageKey(packageId, version);
        if (key !== undefined && isRollingOut(prepare, key)) return 'other';
        const insert = `INSERT INTO held_manifests (${columns}) VALUES (?, ?, ?, ?, ?, ?)`;
        prepare(insert).run(tool, version, packageId, text, message, corrects);
        forgetLeftover(prepare, tool, version);
        return 'added';
      }),
    replaceText: (tool, version, before, text) =>
      transact(() => {
        const update = 'UPDATE held_manifests SET text = ? WHERE tool = ? AND version = ? AND text = ?';
        if (prepare(update).run(text, tool, version, before).changes === 0) return 'other';
        forgetLeftover(prepare, tool, version);
        return 'replaced';
      }),
    async find(tool, version) {
      return findHeldManifest(prepare, tool, version);
    },
    async list(tool) {
      const rows = prepare(`SELECT ${columns} FROM held_manifests WHERE tool = ? ORDER BY version`).all(tool);
      return (rows as RawManifest[]).map(toManifest);
    },
    discard: (tool, version) => transact(() => discardHeldManifest(prepare, tool, version)),
  };
}

/** For use within a transaction. */
export function findHeldManifest(prepare: Prepare, tool: string, version: string): HeldManifest | undefined {
  const select = `SELECT ${columns} FROM held_manifests WHERE tool = ? AND version = ?`;
  const row = prepare(select).get(tool, version) as RawManifest | undefined;
  return row && toManifest(row);
}

/** For use within a transaction. */
export function discardHeldManifest(
  prepare: Prepare,
  tool: string,
  version: string,
): 'discarded' | 'missing' {
  const { changes } = prepare('DELETE FROM held_manifests WHERE tool = ? AND version = ?').run(tool, version);
  return changes > 0 ? 'discarded' : 'missing';
}

/** For use within a transaction: it is gone, or was uploaded again, so that nothing is to be taken away any more. */
export function forgetLeftover(prepare: Prepare, tool: string, version: string): void {
  prepare('DELETE FROM held_leftovers WHERE tool = ? AND version = ?').run(tool, version);
}

type RawManifest = Record<'tool' | 'version' | 'package_id' | 'text' | 'message', string> & {
  readonly corrects: string | null;
};

function toManifest({ package_id: packageId, corrects, ...rest }: RawManifest): HeldManifest {
  return { ...rest, packageId, ...(corrects === null ? {} : { corrects }) };
}

function isSame(one: HeldManifest, other: HeldManifest): boolean {
  const parts = ({ packageId, text, message, corrects }: HeldManifest): string =>
    JSON.stringify([packageId, text, message, corrects]);
  return parts(one) === parts(other);
}

import { operator } from '../audit/audit.ts';
import type { Connection } from '../database/connection.ts';
import { readLeftDatabase } from '../database/copies.ts';
import type { StoredRollout } from './rollouts.ts';
import { createSqlRollouts } from './sql-rollouts.ts';

export type Stopped = Pick<StoredRollout, 'tool' | 'version'>;

/** The rollouts that are halted or rolled back in a database that nobody writes to; undefined when it cannot be read. */
export function readStopped(file: string): readonly Stopped[] | undefined {
  return readLeftDatabase(file, ({ prepare }) => {
    if (!prepare("SELECT 1 FROM sqlite_schema WHERE name = 'rollouts'").get()) return [];
    const sql = "SELECT tool, version FROM rollouts WHERE state IN ('halted', 'rolled-back')";
    return prepare(sql).all() as Stopped[];
  });
}

/**
 * Halts those of them that roll in an older copy of the data: nobody else is to get a version that was found bad since. People
 * resume it, or take it back. Answers with those that were halted.
 */
export async function haltAgain(
  db: Connection,
  stopped: readonly Stopped[],
  at: Date,
): Promise<readonly Stopped[]> {
  const rollouts = createSqlRollouts(db, { now: () => at, approvalsNeeded: () => 0 });
  const rolling = (await rollouts.listOpen()).filter(
    ({ tool, version, state }) =>
      state === 'rolling' && stopped.some((one) => one.tool === tool && one.version === version),
  );
  const reason = 'as in the data that was there before a restore';
  for (const { id } of rolling) await rollouts.act(id, { kind: 'halt' }, { by: operator, reason });
  return rolling.map(({ tool, version }) => ({ tool, version }));
}

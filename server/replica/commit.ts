import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../formats/thrown.ts';
import { inSpan } from '../../tracing/spans.ts';
import type { Connection } from '../database/connection.ts';
import { isDatabaseFull } from '../database/file-problem.ts';
import type { Commit as CommitWrites, Failure, Write } from '../database/transact.ts';
import { FeedError } from '../errors.ts';
import type { Capture } from './capture.ts';
import { type CatchUpDeps, catchUp } from './catch-up.ts';
import { type Commit, rollBack } from './copy.ts';
import { keepSession } from './kept-session.ts';
import type { Postgres, Session } from './postgres.ts';
import type { ChangedKeys } from './read-changes.ts';
import { type TableChange, writeSql } from './rows.ts';

export type CommitDeps = CatchUpDeps & {
  /** This replica's copy. */
  readonly local: Connection;
  readonly capture: Capture;
  readonly postgres: Postgres;
  /** While it runs nobody copies everything anew. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Copies everything anew. */
  readonly copyAnew: () => Promise<void>;
};

/** A database that is away is asked for so long, so that pushes outlive its restart. */
const patienceMs = 8_000;
const pauseMs = 100;
/** More keys than this are not listed: others copy everything. */
const maxKeys = 20_000;
/** How far back the list of changes goes; a replica that was away for longer copies everything. */
const keptRevisions = 20_000;

/**
 * Commits changes to PostgreSQL, one batch after the other on all replicas: the row `replica_state` is locked first. The
 * changes are made in the copy, only to see which rows they change, and undone; the copy gets them when PostgreSQL has them.
 * Writes fail with FeedError DATABASE_UNREACHABLE, DATABASE_UNSURE and the like; nothing was changed then, but for DATABASE_UNSURE.
 */
export function createSharedCommit(deps: CommitDeps): { readonly commit: CommitWrites; close(): void } {
  const { local, capture, copy, postgres, inTurn, copyAnew } = deps;
  /** While it is its turn nobody copies everything anew. */
  const inOwnTurn = { ...deps, copying: () => undefined };
  const kept = keepSession(postgres);

  function rehearse(writes: readonly Write[]): {
    changes: readonly TableChange[];
    failures: readonly (Failure | undefined)[];
  } {
    local.exec('BEGIN IMMEDIATE');
    try {
      const failures = writes.map(({ run }): Failure | undefined => {
        local.exec('SAVEPOINT one');
        try {
          run();
        } catch (error) {
          if (isDatabaseFull(error)) throw new FeedError('STORAGE_FULL', {}, error);
          local.exec('ROLLBACK TO one; RELEASE one');
          return { error };
        }
        local.exec('RELEASE one');
        return undefined;
      });
      return { changes: capture.changes(), failures };
    } finally {
      rollBack(local);
    }
  }

  /** Undefined when the copy has to be made anew first. */
  async function attempt(writes: readonly Write[]): Promise<readonly (Failure | undefined)[] | undefined> {
    const session = await kept.open();
    try {
      const [[number, mark] = []] = await session.run(
        'BEGIN; SELECT revision, token FROM replica_state FOR UPDATE',
      );
      const before: Commit = { revision: Number(number), token: String(mark) };
      if (copy.at().revision > before.revision || !(await catchUp(inOwnTurn, session, before))) {
        await session.run('ROLLBACK');
        return undefined;
      }
      const { changes, failures } = rehearse(writes);
      if (changes.length === 0) {
        await session.run('ROLLBACK');
        return announced(writes, failures);
      }
      const next: Commit = { revision: before.revision + 1, token: randomUUID() };
      await write(session, changes, next);
      await confirm(session, next);
      applyOwn(before, changes, next);
      return announced(writes, failures);
    } catch (error) {
      // Its transaction ends with it.
      session.close();
      throw error;
    }
  }

  /** It is committed: whatever goes wrong from here on, it must not be tried again. */
  function applyOwn(before: Commit, changes: readonly TableChange[], next: Commit): void {
    // Somebody who asked for changes meanwhile may have been faster.
    if (copy.at().token !== before.token) return;
    try {
      copy.apply(changes, next);
    } catch (error) {
      throw new FeedError('COPY_UNWRITABLE', { cause: messageOf(error) }, error);
    }
  }

  /** A connection that breaks now leaves open whether it was committed: the database knows. */
  async function confirm(session: Session, commit: Commit): Promise<void> {
    try {
      await session.run('COMMIT');
    } catch (error) {
      session.close();
      const isThere = await patiently(() => isCommitted(postgres, commit)).catch((cause) => {
        throw new FeedError('DATABASE_UNSURE', {}, cause);
      });
      if (!isThere) throw error;
    }
  }

  return {
    async commit(writes) {
      for (const [write, failure] of await outcomesOf(writes)) write.done(failure);
    },
    close: kept.close,
  };

  /** One that PostgreSQL refuses must not fail those that were to be committed with it. */
  async function outcomesOf(writes: readonly Write[]): Promise<ReadonlyMap<Write, Failure | undefined>> {
    try {
      const failures = await insist(writes);
      return new Map(writes.map((write, at) => [write, failures[at]]));
    } catch (error) {
      const isOfDatabase = error instanceof FeedError && /^(DATABASE|COPY)_/.test(error.code);
      if (writes.length === 1 || isOfDatabase)
        return new Map(writes.map((write) => [write, { error: forClients(error) }]));
    }
    const outcomes = new Map<Write, Failure | undefined>();
    for (const write of writes)
      for (const [one, failure] of await outcomesOf([write])) outcomes.set(one, failure);
    return outcomes;
  }

  async function insist(writes: readonly Write[]): Promise<readonly (Failure | undefined)[]> {
    for (;;) {
      const failures = await patiently(() =>
        inTurn(() => inSpan('postgresql commit', () => attempt(writes))),
      );
      if (failures !== undefined) return failures;
      await copyAnew();
    }
  }

  async function write(
    session: Session,
    changes: readonly TableChange[],
    { revision, token }: Commit,
  ): Promise<void> {
    const values: unknown[] = [];
    const parts = changes.flatMap((change) => writeSql(change, values));
    const count = changes.reduce((sum, { keys }) => sum + keys.length, 0);
    const keys: ChangedKeys = Object.fromEntries(changes.map(({ table, keys }) => [table.name, keys]));
    values.push(revision, token, count > maxKeys ? null : JSON.stringify(keys), revision - keptRevisions);
    const last = values.length;
    const all = [
      ...parts,
      `UPDATE replica_state SET revision = $${last - 3}, token = $${last - 2}`,
      `DELETE FROM replica_commits WHERE revision <= $${last}`,
    ];
    const named = all.map((sql, at) => `step${at} AS (${sql})`).join(', ');
    await session.query(
      `WITH ${named} INSERT INTO replica_commits (revision, token, changes) VALUES ($${last - 3}, $${last - 2}, $${last - 1})`,
      values,
    );
  }
}

/** What the database said, and where it is, is for the log. */
function forClients(error: unknown): unknown {
  const isAway = error instanceof FeedError && error.code.startsWith('DATABASE_');
  return isAway && error.code !== 'DATABASE_UNSURE' ? new FeedError('DATABASE_AWAY', {}, error) : error;
}

function announced(
  writes: readonly Write[],
  failures: readonly (Failure | undefined)[],
): readonly (Failure | undefined)[] {
  return writes.map(({ committed }, at) => failures[at] ?? committed());
}

/** Waits for the lock: a transaction that was cut off, and is still running there, has ended then. */
async function isCommitted(postgres: Postgres, { revision, token }: Commit): Promise<boolean> {
  const session = await postgres.connect();
  try {
    await session.run('BEGIN; SELECT 1 FROM replica_state FOR UPDATE');
    const sql = 'SELECT 1 FROM replica_commits WHERE revision = $1 AND token = $2';
    return (await session.query(sql, [revision, token])).length > 0;
  } finally {
    session.close();
  }
}

/** Tries again while the database does not answer. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const since = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isAway = error instanceof FeedError && error.code === 'DATABASE_UNREACHABLE';
      if (!isAway || performance.now() - since > patienceMs) throw error;
    }
    await delay(pauseMs);
  }
}

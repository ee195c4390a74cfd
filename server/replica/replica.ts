import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, type ForeignChange, openDatabase } from '../database/connection.ts';
import { migrations } from '../database/migrations.ts';
import { createTransact } from '../database/transact.ts';
import { FeedError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createCapture } from './capture.ts';
import { createSharedCommit } from './commit.ts';
import { createCopy } from './copy.ts';
import { createFreshness, type Freshness } from './freshness.ts';
import { copyEverything } from './full-copy.ts';
import { trustMs } from './lease.ts';
import { openPostgres, type Postgres } from './postgres.ts';
import { migrate, type Schema } from './schema.ts';
import { sharedTables } from './tables.ts';

/** A replica of the server, as far as its database is concerned. */
export type Replica = Omit<Freshness, 'close'> & {
  /** Reads the copy of this replica, and changes the database that all of them share. */
  readonly database: Connection;
  close(): void;
};

export type ReplicaOptions = {
  /** The same on all replicas (lease.ts). */
  readonly trustMs?: number;
  /** What the database shows of its connections. */
  readonly application?: string | undefined;
};

/** Changes that share one commit. All replicas wait while they are made, and PostgreSQL gives up who takes longer than 2 s. */
const maxTogether = 200;
/** A timer may end so much too early. */
const timerMs = 1;

const copyTable = `CREATE TABLE IF NOT EXISTS replica_copy (
    database TEXT NOT NULL,
    revision INTEGER NOT NULL,
    token    TEXT NOT NULL,
    schema   INTEGER NOT NULL
  ) STRICT`;

/**
 * Opens this replica's copy of a PostgreSQL database, in a file that is made anew where it is missing, damaged or of another
 * database, and brings it up to date.
 * @throws FeedError DATABASE_UNREACHABLE, DATABASE_REFUSED, DATABASE_VERSION, DATABASE_READ_ONLY, DATABASE_RIGHTS,
 *   DATABASE_NEWER, DATABASE_SCHEMA, DATABASE_ENCODING, DATABASE_LOCKED, STORAGE_FULL
 */
export async function openReplica(
  url: string,
  file: string,
  log: Logger,
  options: ReplicaOptions = {},
): Promise<Replica> {
  const postgres = await openPostgres(url, options.application);
  const local = openCopyFile(file, log);
  try {
    return await connectReplica(postgres, local, file, { log, trustMs, ...options });
  } catch (error) {
    local.close();
    throw error;
  }
}

async function connectReplica(
  postgres: Postgres,
  local: Connection,
  file: string,
  { log, trustMs }: { readonly log: Logger; readonly trustMs: number },
): Promise<Replica> {
  const tables = sharedTables(local.prepare);
  const schema: Schema = { number: migrations.length, tables };
  const id = await prepareDatabase(postgres, schema);
  const capture = createCapture(local, tables);
  const copy = createCopy(local, capture.forget);
  const inTurn = createTurns();
  const listeners: ((change: ForeignChange) => void)[] = [];
  const changed = (change: ForeignChange): void => {
    for (const listener of listeners) listener(change);
  };

  let copying: Promise<void> | undefined;
  function copyAnew(): Promise<void> {
    copying ??= inTurn(copyNow).finally(() => {
      copying = undefined;
    });
    return copying;
  }
  async function copyNow(): Promise<void> {
    const since = performance.now();
    const all = new Set(tables.map(({ name }) => name));
    const copied = (): void =>
      changed({ tables: all, replaced: all, removed: all, ids: undefined, countedIds: [] });
    const revision = await copyInto(file, postgres, schema, copied);
    const seconds = Math.round((performance.now() - since) / 1000);
    log.info({ database: postgres.name, revision, seconds }, 'copied everything from the database');
  }

  const shared = { copy, tables, changed, postgres, copyAnew, copying: () => copying };
  const freshness = createFreshness({ ...shared, trustMs, asked: createReport(postgres.name, log) });
  const sharedCommit = createSharedCommit({ ...shared, local, capture, inTurn });
  const transact = createTransact(local.prepare, sharedCommit.commit, maxTogether);
  const disconnect = (): void => {
    freshness.close();
    sharedCommit.close();
  };
  try {
    if (!isCopyOf(local, id, schema)) await copyAnew();
    // However long it takes: nobody waits for it yet.
    await freshness.catchUp();
  } catch (error) {
    disconnect();
    throw error;
  }

  return {
    database: {
      ...local,
      async transact(change, { isTold } = { isTold: true }) {
        try {
          return await transact(change);
        } finally {
          // By then no other replica trusts what it had before.
          if (isTold) await delay(trustMs + timerMs);
        }
      },
      writeStatistics: (write) => transact(write),
      onForeignChange: (listener) => void listeners.push(listener),
    },
    ...freshness,
    close() {
      disconnect();
      local.close();
    },
  };
}

/** The database with the tables of this program; its id. */
async function prepareDatabase(postgres: Postgres, schema: Schema): Promise<string> {
  const session = await postgres.connect();
  try {
    await migrate(postgres, session, schema);
    const [[id] = []] = await session.query('SELECT id FROM replica_state');
    return String(id);
  } finally {
    session.close();
  }
}

async function copyInto(
  file: string,
  postgres: Postgres,
  schema: Schema,
  copied: () => void,
): Promise<number> {
  const session = await postgres.connect();
  const copy = openDatabase(file);
  try {
    return await copyEverything(session, copy, schema, copied);
  } finally {
    copy.close();
    session.close();
  }
}

/** A file that is damaged, or was written by a newer program, is only a copy. */
function openCopyFile(file: string, log: Logger): Connection {
  const open = (): Connection => {
    const local = openDatabase(file);
    // What a power cut takes away is copied again.
    local.pragma('synchronous = NORMAL');
    // A purge leaves nothing of a text in free pages; the whole file is never written anew here.
    local.pragma('secure_delete = ON');
    local.exec(copyTable);
    return local;
  };
  try {
    return open();
  } catch (error) {
    if (!(error instanceof FeedError) || !/^CATALOG_(DAMAGED|NEWER)$/.test(error.code)) throw error;
    log.warn({ err: error }, 'the copy of the database is made anew');
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
    return open();
  }
}

function isCopyOf({ prepare }: Connection, id: string, schema: Schema): boolean {
  const sql = 'SELECT 1 FROM replica_copy WHERE database = ? AND schema = ?';
  return prepare(sql).get(id, schema.number) !== undefined;
}

/** Says once that the database is away, and why, again when the reason is another one, and once that it is back. */
function createReport(database: string, log: Logger): (error?: unknown) => void {
  let reason: unknown;
  return (error) => {
    const found = error instanceof FeedError ? error.code : error && 'another';
    if (found === reason) return;
    reason = found;
    if (error !== undefined) log.error({ err: error }, 'the database does not answer');
    else log.info({ database }, 'the database answers again');
  };
}

/** Does one work after the other. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

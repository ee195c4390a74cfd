import type { ErrorTable } from './table.ts';

/** Errors of servers that share a PostgreSQL database. `{database}` is its address without user and password. */
export const replicaErrors = {
  DATABASE_UNREACHABLE: [
    503,
    'The database {database} does not answer: {cause}. Nothing was changed; try again in a moment.',
  ],
  DATABASE_AWAY: [
    503,
    'The shared database cannot accept changes now. Nothing was changed; try again in a moment.',
  ],
  DATABASE_UNSURE: [
    503,
    'The connection to the shared database broke while the change was being confirmed, and the database has not answered since. Check whether the change is there before you try again.',
  ],
  DATABASE_REFUSED: [
    500,
    'The database {database} refuses this user: {cause}. Check user, password and database in DATABASE_URL.',
  ],
  DATABASE_VERSION: [500, 'The database {database} is PostgreSQL {found}; version 15 or newer is needed.'],
  DATABASE_ENCODING: [
    500,
    'The database {database} has the encoding {found}; UTF8 is needed. Make a new one: CREATE DATABASE ... ENCODING UTF8.',
  ],
  DATABASE_LOCKED: [
    503,
    'Something else holds a lock in the database {database} ({cause}). Nothing was changed; try again, or end the session that holds it: pg_stat_activity and pg_locks show it.',
  ],
  DATABASE_READ_ONLY: [
    500,
    'The database {database} is read-only, as a standby is. DATABASE_URL has to name the primary server.',
  ],
  DATABASE_RIGHTS: [
    500,
    'The user of the database {database} lacks a right: {cause}. It has to own the tables, and needs CREATE and USAGE on their schema.',
  ],
  DATABASE_NEWER: [
    500,
    'The database {database} needs schema {needed} or newer; this version of go-win-tools supports {known} at most. Run a newer version.',
  ],
  DATABASE_EMPTY: [
    500,
    'There is no feed in the database {database}. Correct DATABASE_URL, or make one: feed:restore fills an empty database from a backup, and serve begins with an empty feed.',
  ],
  DATABASE_SCHEMA: [
    500,
    'The tables of the database {database} do not match the schema of this version: {problem}. Restore a dump of it, or use an empty database.',
  ],
  TEXT_UNUSABLE: [
    400,
    'A string in this request contains U+0000, which the database cannot store. Remove it.',
  ],
  COPY_UNWRITABLE: [
    503,
    'The change was made, but this replica cannot write it into its copy of the database: {cause}. Do not repeat it; free some space on the disk of this replica.',
  ],
  COPY_BEHIND: [
    503,
    'This replica has lost contact with its database, so its data may be out of date; try again in a moment.',
  ],
} as const satisfies ErrorTable;

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../server/database/connection.ts';
import { createLogger } from '../../server/log.ts';
import { newestSchema } from '../../server/replica/migrate-database.ts';
import { openPostgres, type Session } from '../../server/replica/postgres.ts';
import { openReplica, type Replica } from '../../server/replica/replica.ts';
import { migrate, type Schema } from '../../server/replica/schema.ts';
import type { Column, Table } from '../../server/replica/tables.ts';
import { createCommand } from '../../server/verbs/migrate.ts';
import { freePort } from '../kit/free-port.ts';
import { runVerbWith, type Said } from '../kit/operator-fixture.ts';
import { hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';
import { makeTempDir } from '../kit/test-server.ts';

const thisSchema = newestSchema();
const number = thisSchema.number;

const colour: Column = { name: 'colour', type: 'TEXT', isRequired: true, standard: "'none'" };
const shades: Table = {
  name: 'shades',
  columns: [
    { name: 'name', type: 'TEXT', isRequired: true, standard: null },
    { name: 'depth', type: 'INTEGER', isRequired: true, standard: null },
  ],
  key: [{ name: 'name', type: 'TEXT', isRequired: true, standard: null }],
};

/** A version of the program after this one: rings have a colour, and there is a table of shades. */
const nextSchema: Schema = {
  number: number + 1,
  tables: [
    ...thisSchema.tables.map((table) =>
      table.name === 'rings' ? { ...table, columns: [...table.columns, colour] } : table,
    ),
    shades,
  ],
};

describe.skipIf(!hasPostgres)('feed:migrate (needs PostgreSQL)', () => {
  let postgres: Postgres;
  let url: string;
  const sessions: Session[] = [];
  const replicas: Replica[] = [];

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    url = await postgres.newDatabase();
  });
  afterEach(() => {
    for (const session of sessions.splice(0)) session.close();
    for (const replica of replicas.splice(0)) replica.close();
  });

  async function connect(to = url): Promise<Session> {
    const session = await (await openPostgres(to)).connect();
    sessions.push(session);
    return session;
  }

  async function migrateTo(schema: Schema, options: Parameters<typeof migrate>[3] = {}, to = url) {
    return migrate({ name: 'the database' }, await connect(to), schema, options);
  }

  async function run(...args: string[]): Promise<Said> {
    return runAt(url, ...args);
  }

  async function runAt(to: string, ...args: string[]): Promise<Said> {
    const env = { DATABASE_URL: to, BLOB_STORE: 's3://feed', PUBLIC_URL: 'https://feed.example.org' };
    return runVerbWith(env, createCommand, await makeTempDir(), ...args);
  }

  const tablesAt = (to = url) =>
    postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", to).then(Number);

  it('shows all steps without taking any, takes them, and has nothing to do afterwards', async () => {
    const shown = await run('--dry-run');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`this version has schema ${number}, it had no tables`);
    expect(shown.stdout).toContain('to do  expand: add the table packages');
    expect(await tablesAt()).toBe(0);

    const taken = await run();
    expect(taken).toMatchObject({ code: 0, stderr: '' });
    expect(taken.stdout).toContain('done  expand: add the table packages');
    expect(await tablesAt()).toBe(thisSchema.tables.length + 2);

    const again = await run();
    expect(again.stdout).toContain(`it had schema ${number}`);
    expect(again.stdout).toContain('Nothing to do.');
    expect(again.stdout).not.toContain('feed-password');
    expect(JSON.parse((await run('--contract', '--json')).stdout)).toMatchObject({
      known: number,
      schema: number,
      steps: [],
      left: [],
      dryRun: false,
    });
  });

  it('drops what only older versions use, by --contract alone, and only if no newer version was there', async () => {
    await migrateTo({ ...nextSchema, number });
    const before = await run();
    expect(before.stdout).toContain('left  contract: drop the column rings.colour');
    expect(before.stdout).toContain('left  contract: drop the table shades');

    await postgres.sql(`UPDATE replica_state SET schema = ${number + 1}`, url);
    const older = await run('--contract');
    expect(older).toMatchObject({ code: 0 });
    expect(older.stdout).toContain('A newer version has migrated it.');
    expect(await postgres.sql("SELECT to_regclass('shades') IS NOT NULL", url)).toBe('t');

    await postgres.sql(`UPDATE replica_state SET schema = ${number}`, url);
    const after = await run('--contract');
    expect(after.stdout).toContain('done  contract: drop the table shades');
    expect(await postgres.sql("SELECT to_regclass('shades') IS NULL", url)).toBe('t');
    expect(await postgres.sql('SELECT min_schema FROM replica_state', url)).toBe(`${number}`);
  });

  it('lets no version come back that uses what was dropped', async () => {
    await migrateTo(nextSchema);
    await migrateTo({ ...nextSchema, number: number + 2, tables: thisSchema.tables }, { contract: true });

    await expect(migrateTo(nextSchema)).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringContaining(`schema ${number + 2} or newer`),
    });
  });

  it('gives a column that is no longer written a value for those who still read it', async () => {
    const required: Schema = {
      number,
      tables: [{ ...shades, columns: [...shades.columns, { ...colour, standard: null }] }],
    };
    await migrateTo(required);
    const { steps } = await migrateTo({ number: number + 1, tables: [shades] });

    expect(steps.map(({ kind, what }) => `${kind}: ${what}`)).toEqual([
      'expand: give shades.colour a standard value, since this version no longer writes it',
    ]);
    await (await connect()).query("INSERT INTO shades (name, depth) VALUES ('deep', 1)");
    expect(await postgres.sql("SELECT colour = '' FROM shades", url)).toBe('t');
    expect((await migrateTo({ number: number + 1, tables: [shades] })).steps).toEqual([]);
  });

  it('lets two versions read and write side by side, and the older one keeps what it does not know', async () => {
    const log = createLogger('silent');
    const dir = await makeTempDir();
    const older = await openReplica(url, join(dir, 'older.db'), log);
    replicas.push(older);
    const file = join(dir, 'newer.db');
    const extended = openDatabase(file);
    extended.exec("ALTER TABLE rings ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'");
    extended.exec('CREATE TABLE shades (name TEXT PRIMARY KEY, depth INTEGER NOT NULL) STRICT');
    extended.close();
    // It migrates while the older one is running.
    const newer = await openReplica(url, file, log);
    replicas.push(newer);

    await older.database.transact(({ prepare }) =>
      prepare("INSERT INTO rings (name, globs) VALUES ('canary', 'a')").run(),
    );
    await newer.refresh();
    const ringsOf = ({ database }: Replica) => database.prepare('SELECT * FROM rings ORDER BY name').all();
    expect(ringsOf(newer)).toEqual([{ name: 'canary', globs: 'a', colour: 'none' }]);

    await newer.database.transact(({ prepare }) => {
      prepare("UPDATE rings SET colour = 'red'").run();
      prepare("INSERT INTO shades VALUES ('deep', 1)").run();
    });
    await older.refresh();
    await older.database.transact(({ prepare }) => prepare("UPDATE rings SET globs = 'b'").run());
    await newer.refresh();

    expect(ringsOf(older)).toEqual([{ name: 'canary', globs: 'b' }]);
    expect(ringsOf(newer)).toEqual([{ name: 'canary', globs: 'b', colour: 'red' }]);
    expect(newer.database.prepare('SELECT * FROM shades').all()).toEqual([{ name: 'deep', depth: 1 }]);
    // The older version can be started again.
    const another = await openReplica(url, join(dir, 'another.db'), log);
    replicas.push(another);
    expect(ringsOf(another)).toEqual([{ name: 'canary', globs: 'b' }]);
  });

  it('waits for whoever holds a table only for a while, changes nothing then, and lets others pass', async () => {
    await migrateTo(thisSchema);
    const holder = await connect();
    await holder.run('SET idle_in_transaction_session_timeout = 0; BEGIN; SELECT * FROM rings');

    await expect(migrateTo(nextSchema, { patienceMs: 0 })).rejects.toMatchObject({
      code: 'DATABASE_LOCKED',
      status: 503,
      message: expect.stringContaining('pg_locks'),
    });
    expect(await postgres.sql("SELECT to_regclass('shades') IS NULL", url)).toBe('t');

    const migrating = migrateTo(nextSchema);
    await (await connect()).query('SELECT * FROM rings');
    await holder.run('COMMIT');
    expect((await migrating).steps.map(({ what }) => what)).toEqual([
      'add the column rings.colour',
      'add the table shades',
    ]);
  });

  it('touches no table of another program, and says which one is in the way', async () => {
    await postgres.sql('CREATE TABLE packages (anything text)', url);
    const other = await run();
    expect(other.code).toBe(1);
    expect(other.error?.message).toContain('packages is a table of another program');
    expect(await tablesAt()).toBe(1);

    await postgres.sql('DROP TABLE packages; CREATE TABLE replica_state (id text)', url);
    expect((await run()).error?.message).toContain('replica_state is a table of another program');
    await postgres.sql('DROP TABLE replica_state; CREATE TABLE theirs (n int)', url);
    expect(await run()).toMatchObject({ code: 0 });
    expect((await run('--contract')).stdout).toContain('Nothing to do.');
    expect(await postgres.sql("SELECT to_regclass('theirs') IS NOT NULL", url)).toBe('t');
  });

  it('says which right is missing', async () => {
    await postgres.sql("CREATE ROLE guest LOGIN PASSWORD 'feed-password'", url);
    const asGuest = url.replace('//feed:', '//guest:');
    expect((await runAt(asGuest)).error).toMatchObject({
      code: 'DATABASE_RIGHTS',
      message: expect.stringContaining('permission denied for schema public'),
    });

    await run();
    await postgres.sql('GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest', url);
    expect((await runAt(asGuest)).error).toMatchObject({
      code: 'DATABASE_RIGHTS',
      message: expect.stringContaining('it may not read and change the table'),
    });
  });

  it('refuses a database that is read-only, of another encoding or too old', async () => {
    await run();
    const name = new URL(url).pathname.slice(1);
    await postgres.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`, url);
    expect((await run()).error).toMatchObject({
      code: 'DATABASE_READ_ONLY',
      message: expect.stringContaining('primary server'),
    });

    await postgres.sql("CREATE DATABASE latin OWNER feed ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const latin = await runAt(url.replace(name, 'latin'));
    expect(latin.error?.message).toContain('has the encoding LATIN1; UTF8 is needed');

    const old: Session = {
      query: async () => [[140_011, '14.11', 'UTF8', 'off']],
      run: async () => [],
      isOpen: () => true,
      close: () => undefined,
    };
    await expect(migrate({ name: 'postgres://old/feed' }, old, thisSchema)).rejects.toThrow(
      'The database postgres://old/feed is PostgreSQL 14.11; version 15 or newer is needed.',
    );
  });

  it('tells a wrong password, a missing database and a server that is away from each other', async () => {
    const wrong = await runAt(url.replace('feed-password', 'other-password'));
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.error?.message).toMatch(/refuses this user: password authentication failed/);
    expect(wrong.error?.message).not.toContain('other-password');

    const missing = await runAt(url.replace(/\/feed\d+$/, '/nowhere'));
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.error?.message).toContain('database "nowhere" does not exist');

    const away = await runAt(url.replace(/:\d+\//, `:${await freePort()}/`));
    expect(away).toMatchObject({ code: 4 });
    expect(away.error?.message).toMatch(/does not answer: .*ECONNREFUSED/);
  });
});

describe('feed:migrate without DATABASE_URL', () => {
  it('says that SQLite needs nothing of it', async () => {
    const said = await runVerbWith({}, createCommand, await makeTempDir());

    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.error?.message).toContain('SQLite in DATA_DIR is brought up to date by each start');
  });
});

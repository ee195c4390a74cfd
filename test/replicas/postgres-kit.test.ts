import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';

describe.skipIf(!hasPostgres)('PostgreSQL for tests (needs PostgreSQL)', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it('has an empty database whose owner is no superuser', async () => {
    expect(await postgres.sql('SELECT usesuper FROM pg_user WHERE usename = $$feed$$')).toBe('f');
    expect(
      await postgres.sql(
        'SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()',
      ),
    ).toBe('feed');
    expect(await postgres.sql('SELECT count(*) FROM pg_tables WHERE schemaname = $$public$$')).toBe('0');
  });

  it('has as many databases as a test wants', async () => {
    const [one, other] = [await postgres.newDatabase(), await postgres.newDatabase()];

    await postgres.sql('CREATE TABLE only_here (n bigint)', one);

    expect(await postgres.sql('SELECT to_regclass($$only_here$$) IS NULL', one)).toBe('f');
    expect(await postgres.sql('SELECT to_regclass($$only_here$$) IS NULL', other)).toBe('t');
  });

  it('keeps what was committed when it is killed, and comes back at the same address', async () => {
    await postgres.sql('CREATE TABLE kept (n bigint)');
    await postgres.sql('INSERT INTO kept VALUES (1)');

    await postgres.kill();
    await expect(postgres.sql('SELECT 1')).rejects.toThrow();
    await postgres.start();

    expect(await postgres.sql('SELECT n FROM kept')).toBe('1');
  });

  it('answers nobody while it is paused', async () => {
    await postgres.pause();
    let isAnswered = false;
    const answer = postgres.sql('SELECT 1').then((rows) => {
      isAnswered = true;
      return rows;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isAnswered).toBe(false);

    await postgres.resume();

    expect(await answer).toBe('1');
  });
});

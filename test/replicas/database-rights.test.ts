import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateDatabase, newestSchema } from '../../server/replica/migrate-database.ts';
import { bin, hasPostgres, type Postgres, startPostgres } from '../kit/postgres.ts';
import { run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

describe.skipIf(!hasPostgres)('deploy/database.sql (needs PostgreSQL)', () => {
  let postgres: Postgres;
  let superuser: string;
  let feed: string;
  let file: string;
  beforeAll(async () => {
    postgres = await startPostgres();
    const dir = await makeTempDir();
    const text = await readFile(join(productDir, 'deploy', 'database.sql'), 'utf8');
    // the kit has a feed already
    const own = text
      .replace('/run/secrets/database_url', join(dir, 'url'))
      .replace(/\bfeed\b(?!:)/g, 'other');
    await writeFile(join(dir, 'url'), 'postgres://feed:a-password-of-its-own@postgres/feed\n');
    file = join(dir, 'database.sql');
    await writeFile(file, own);
    superuser = postgres.url.replace('//feed:', '//postgres:').replace(/\/feed$/, '/postgres');
    const url = new URL(superuser);
    url.username = 'other';
    url.password = 'a-password-of-its-own';
    url.pathname = '/other';
    feed = url.href;
  });
  afterAll(() => postgres.stop());

  const psql = (sql: string) => run('psql', ['-v', 'ON_ERROR_STOP=1', '-q', '-f', sql, superuser]);

  it('gives a feed its database, and no right elsewhere', async () => {
    expect(await psql(file)).toEqual({ code: 0, stdout: '', stderr: '' });

    expect(await migrateDatabase(feed, {})).toMatchObject({ schema: 0, left: [] });
    expect(
      await postgres.sql("SELECT DISTINCT schemaname FROM pg_tables WHERE tableowner = 'other'", feed),
    ).toBe('other');
    await expect(postgres.sql('SET ROLE other; CREATE TABLE public.mine (one int)', feed)).rejects.toThrow(
      'permission denied for schema public',
    );
    // the database of another feed
    await expect(migrateDatabase(feed.replace(/other$/, 'feed'), {})).rejects.toMatchObject({
      code: 'DATABASE_RIGHTS',
    });
  });

  it('makes it again for a dump, which its role restores as the page about replicas says', async () => {
    await postgres.sql("INSERT INTO other.rings (name, globs) VALUES ('canary', '[]')", feed);
    const [, dumping = '', restoring = ''] =
      /^(pg_dump .+)\n(pg_restore .+)$/m.exec(
        await readFile(join(productDir, 'docs', 'operate', 'replicas.md'), 'utf8'),
      ) ?? [];
    const shell = (line: string) =>
      run('sh', ['-c', line.replace(/'postgres:\S+'/, `'${feed}'`).replace('-n feed', '-n other')], {
        cwd: dirname(file),
        env: { PATH: `${dirname(bin('pg_dump'))}:${process.env.PATH}` },
      });

    expect(await shell(dumping)).toEqual({ code: 0, stdout: '', stderr: '' });
    await postgres.sql('DROP DATABASE other', superuser);
    const sql = await readFile(file, 'utf8');
    await writeFile(file, sql.replace(/^CREATE ROLE .+$/m, ''));
    expect(await psql(file)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await shell(restoring)).toEqual({ code: 0, stdout: '', stderr: '' });

    const { schema, steps } = await migrateDatabase(feed, {});
    expect([schema, steps]).toEqual([newestSchema().number, []]);
    expect(await postgres.sql('SELECT name FROM other.rings', feed)).toBe('canary');
  });
});

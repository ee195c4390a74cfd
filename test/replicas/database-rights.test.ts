import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migrateDatabase } from '../../server/replica/migrate-database.ts';
import { hasPostgres, startPostgres } from '../kit/postgres.ts';
import { run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

describe.skipIf(!hasPostgres)('deploy/database.sql (needs PostgreSQL)', () => {
  it('gives a feed its database, and no right elsewhere', async () => {
    const postgres = await startPostgres();
    try {
      const dir = await makeTempDir();
      const text = await readFile(join(productDir, 'deploy', 'database.sql'), 'utf8');
      // the kit has a feed already
      const own = text
        .replace('/run/secrets/database_url', join(dir, 'url'))
        .replace(/\bfeed\b(?!:)/g, 'other');
      await writeFile(join(dir, 'url'), 'postgres://feed:a-password-of-its-own@postgres/feed\n');
      await writeFile(join(dir, 'database.sql'), own);
      const superuser = postgres.url.replace('//feed:', '//postgres:').replace(/\/feed$/, '/postgres');
      const psql = ['-v', 'ON_ERROR_STOP=1', '-q', '-f', join(dir, 'database.sql'), superuser];

      expect(await run('psql', psql)).toEqual({ code: 0, stdout: '', stderr: '' });

      const url = new URL(superuser);
      url.username = 'other';
      url.password = 'a-password-of-its-own';
      url.pathname = '/other';
      expect(await migrateDatabase(url.href, {})).toMatchObject({ schema: 0, left: [] });
      expect(
        await postgres.sql("SELECT DISTINCT schemaname FROM pg_tables WHERE tableowner = 'other'", url.href),
      ).toBe('other');
      await expect(
        postgres.sql('SET ROLE other; CREATE TABLE public.mine (one int)', url.href),
      ).rejects.toThrow('permission denied for schema public');
      // the database of another feed
      await expect(migrateDatabase(url.href.replace(/other$/, 'feed'), {})).rejects.toMatchObject({
        code: 'DATABASE_RIGHTS',
      });
    } finally {
      await postgres.stop();
    }
  });
});

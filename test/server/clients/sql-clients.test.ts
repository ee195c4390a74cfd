import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createSqlClients } from '../../../server/clients/sql-clients.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { makeTempDir } from '../../kit/test-server.ts';

it('does not count all clients for each id that is new, or that finds no room', async () => {
  const dir = await makeTempDir();
  const db = openDatabase(join(dir, 'catalog.db'));
  let counts = 0;
  const prepare: typeof db.prepare = (sql) => {
    if (/^SELECT count/.test(sql)) counts += 1;
    return db.prepare(sql);
  };
  const clients = createSqlClients({ ...db, prepare }, () => new Date(), { maxClients: 100 });
  const see = (id: string) => clients.see(id, '192.0.2.1');

  const seen = Array.from({ length: 300 }, (_, at) => see(`pc-${at}`));
  expect(seen.filter((is) => is)).toHaveLength(100);
  expect(counts).toBeLessThan(5);
  await clients.forget('pc-0', operator);
  expect([see('pc-300'), see('pc-301')]).toEqual([true, false]);

  await clients.flush();
  db.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

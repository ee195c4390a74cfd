import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlClients } from '../../../server/clients/sql-clients.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { readClients } from '../../../server/rollout/read-clients.ts';
import { makeTempDir } from '../../kit/test-server.ts';

describe('pages of clients', () => {
  let dir: string;
  let db: Connection;
  beforeEach(async () => {
    dir = await makeTempDir();
    db = openDatabase(join(dir, 'catalog.db'));
    db.prepare(`WITH RECURSIVE n(i) AS (SELECT 10001 UNION ALL SELECT i + 1 FROM n WHERE i < 11300)
      INSERT INTO clients (id, first_day, last_day) SELECT 'pc-' || i, 1, 1 FROM n`).run();
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  const standings = { of: async () => ({ rings: [], rollouts: [], offers: [] }) };
  const ofHundreds = (id: string) => id.endsWith('00');
  const all = Array.from({ length: 1300 }, (_, at) => `pc-${10_001 + at}`);

  it.each([
    { of: 'all', isShown: undefined, limit: 500 },
    { of: 'some, and a part at last', isShown: ofHundreds, limit: 5 },
    { of: 'some', isShown: ofHundreds, limit: 13 },
    { of: 'none', isShown: () => false, limit: 1 },
  ])('have $limit of $of, name no others, and end', async ({ isShown, limit }) => {
    const clients = createSqlClients(db, () => new Date());
    const expected = all.filter(isShown ?? (() => true));
    const pages: string[][] = [];
    for (let after: string | undefined; ; ) {
      const page = await readClients({ clients, standings }, { after, limit }, isShown);
      pages.push(page.clients.map(({ id }) => id));
      expect(page.next).toBe(page.clients.length < limit ? null : page.clients.at(-1)?.id);
      if (page.next === null) break;
      after = page.next;
    }

    expect(pages.flat()).toEqual(expected);
    expect(pages).toHaveLength(Math.floor(expected.length / limit) + 1);
  });
});

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../../server/database/connection.ts';
import { createSqlRefusals } from '../../../server/database/sql-refusals.ts';
import { makeTempDir } from '../../kit/test-server.ts';

it('tells a limited number of refusals apart while nothing can be written, and counts all', async () => {
  const dir = await makeTempDir();
  const db = openDatabase(join(dir, 'catalog.db'));
  let isFull = true;
  let time = 0;
  const writeStatistics: typeof db.writeStatistics = async (write) => {
    if (isFull) throw new Error('the disk is full');
    return db.writeStatistics(write);
  };
  const refusals = createSqlRefusals({ ...db, writeStatistics }, () => new Date(time), { maxWaiting: 100 });

  for (let minute = 0; minute < 10; minute += 1) {
    time += 60_000;
    for (let at = 0; at < 50; at += 1)
      refusals.note({ code: 'KEY_INVALID', route: 'feed', from: `10.0.${minute}.${at}` });
    await refusals.flush().catch(() => undefined);
  }
  isFull = false;
  await refusals.flush();

  const kept = await refusals.list({ after: 0, limit: 1000 });
  expect(kept).toHaveLength(101);
  expect(kept.at(-1)).toMatchObject({ route: '*', count: 400 });
  db.close();
  await rm(dir, { recursive: true, force: true });
});

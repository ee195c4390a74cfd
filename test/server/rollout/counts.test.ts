import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import type { StoredRollout } from '../../../server/rollout/rollouts.ts';
import { createClientCounts } from '../../../server/rollout/sql-admissions.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const plan = RolloutPlan.parse({ steps: [{ percent: 100, hold: '1d' }] });
const rollout = { id: 1, seed: 'delve/1.22.0', state: 'rolling', step: 0, plan } as StoredRollout;

describe('the clients of a rollout', () => {
  let dir: string;
  let db: Connection;
  beforeEach(async () => {
    dir = await makeTempDir();
    db = openDatabase(join(dir, 'catalog.db'));
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  function add(from: number, to: number): void {
    db.prepare(`WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO clients (id, first_day, last_day) SELECT 'pc-' || i, 1, 1 FROM n`).run(from, to);
  }

  it('are counted each time where there are few', async () => {
    const count = createClientCounts(db.prepare);
    add(1, 10);
    expect(await count(rollout)).toEqual({ known: 10, eligible: 10, admitted: 0, received: 0 });
    add(11, 11);

    expect(await count(rollout)).toMatchObject({ known: 11, eligible: 11 });
  });

  it('are not counted again for a while where there are many, until a step begins', async () => {
    const count = createClientCounts(db.prepare);
    add(1, 10_001);
    const asked = await Promise.all([count(rollout), count(rollout)]);
    add(10_002, 10_002);

    expect(asked.map(({ known }) => known)).toEqual([10_001, 10_001]);
    expect(await count(rollout)).toMatchObject({ known: 10_001 });
    expect(await count({ ...rollout, step: 1 })).toMatchObject({ known: 10_002 });
  });
});

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { positionOf } from '../../../server/rollout/position.ts';
import type { StoredRollout } from '../../../server/rollout/rollouts.ts';
import { createClientCounts } from '../../../server/rollout/sql-admissions.ts';
import { countSteps } from '../../../server/rollout/sql-step-counts.ts';
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

  it('count for the first step that reaches them, or for the last where none does any more', async () => {
    db.prepare('INSERT INTO rings (name, globs) VALUES (\'canary\', \'["pc-1", "pc-2"]\')').run();
    const steps = [
      { ring: 'canary', hold: '1d' },
      { percent: 30, hold: '1d' },
      { percent: 60, hold: '1d' },
      { percent: 90, hold: '1d' },
    ];
    const stepwise = { ...rollout, step: 2, plan: RolloutPlan.parse({ steps }) };
    db.pragma('foreign_keys = OFF');
    db.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
      INSERT INTO admissions (client, rollout, at, received) SELECT 'pc-' || i, 1, 1, iif(i <= 100, 2, NULL) FROM n`).run();
    const numbers = Array.from({ length: 1200 }, (_, at) => at + 1);
    const low = numbers.filter((n) => n > 2 && positionOf(rollout.seed, `pc-${n}`) < 3000);
    const rest = numbers.filter((n) => n > 2 && !low.includes(n));

    const asked = new Set<string>();
    const prepare: typeof db.prepare = (sql) => {
      asked.add(sql);
      return db.prepare(sql);
    };
    expect(await countSteps(prepare, stepwise)).toEqual([
      { step: 0, admitted: 2, received: 2 },
      { step: 1, admitted: low.length, received: low.filter((n) => n <= 100).length },
      { step: 2, admitted: rest.length, received: rest.filter((n) => n <= 100).length },
    ]);
    // Else 300,000 clients take 40 s.
    for (const sql of [...asked].filter((one) => one.includes('admissions'))) {
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...sql.match(/\?/g)!.map(() => 1));
      expect(JSON.stringify(steps)).toMatch(/USING (COVERING )?INDEX admissions_of_rollout/);
      expect(JSON.stringify(steps)).not.toContain('TEMP B-TREE');
    }
  });
});

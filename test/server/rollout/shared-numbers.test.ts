import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { operator as by } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { addCorrection } from '../../../server/rollout/sql-corrections.ts';
import { openRollouts } from '../../../server/rollout-services.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const writtenPlan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
let dir: string;
let db: Connection;
beforeEach(async () => {
  dir = await makeTempDir();
  db = openDatabase(join(dir, 'catalog.db'));
});
afterEach(async () => {
  db.close();
  await rm(dir, { recursive: true, force: true });
});

// No start makes this any more, but a database of 0.1.0 may have it.
it.each(['complete', 'supersede'] as const)('keeps what another rollout gives at %s', async (how) => {
  const now = () => new Date('2026-01-01T00:00:00Z');
  const catalog = createSqlCatalog(db, now);
  const approvals = [{ glob: 'delve', owners: 1 }];
  const { rollouts, heldManifests } = openRollouts(db, { catalog, approvals, now });
  async function hold(version: string): Promise<void> {
    await catalog.hold(makePackage({ id: 'delve', version }), by);
    const text = JSON.stringify({ version });
    await heldManifests.put({ tool: 'delve', version, packageId: 'delve', text, message: '' });
  }
  const approve = (id: number) => rollouts.act(id, { kind: 'approve', owner: 'bob' }, { by });
  async function start(version: string): Promise<number> {
    const order = { tool: 'delve', packageId: 'delve', version, plan: RolloutPlan.parse(writtenPlan) };
    const outcome = await rollouts.start({ ...order, writtenPlan, owner: 'ann' }, { by });
    if (outcome.is !== 'started') throw new Error(outcome.is);
    return outcome.rollout.id;
  }
  for (const version of ['1.22.0', '1.22.0.1', '1.22.0.1-beta.1']) await hold(version);
  const first = await start('1.22.0');
  await approve(first);
  const second = await start('1.22.0.1');
  await db.transact(({ prepare }) => addCorrection(prepare, first, '1.22.0.1', undefined));

  if (how === 'complete') await rollouts.act(first, { kind: 'complete' }, { by });
  else await approve(second);

  const states = { complete: 'completed', supersede: 'superseded' };
  expect(await rollouts.find(first)).toMatchObject({ state: states[how] });
  expect((await rollouts.find(second))?.state).toMatch(/pending|rolling/);
  expect((await catalog.listHeld('delve')).map(({ version }) => version)).toEqual(
    expect.arrayContaining(['1.22.0.1', '1.22.0.1-beta.1']),
  );
  expect(await heldManifests.find('delve', '1.22.0.1')).toBeDefined();
});

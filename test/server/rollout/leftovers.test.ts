import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { operator as by } from '../../../server/audit/audit.ts';
import { createSqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { openDatabase } from '../../../server/database/connection.ts';
import { openRollouts } from '../../../server/rollout-services.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeTempDir } from '../../kit/test-server.ts';

it('takes a correction away at the next tick where its bytes were not durable at the end of its rollout', async () => {
  const dir = await makeTempDir();
  const db = openDatabase(join(dir, 'catalog.db'));
  const now = () => new Date('2026-01-01T00:00:00Z');
  const catalog = createSqlCatalog(db, now);
  const { rollouts, heldManifests } = openRollouts(db, { catalog, approvals: [], now });
  await catalog.add(makePackage({ id: 'delve', version: '1.21.0' }), by);
  for (const version of ['1.22.0', '1.22.0.1']) {
    await catalog.hold(makePackage({ id: 'delve', version }), by);
    await heldManifests.put({ tool: 'delve', version, packageId: 'delve', text: version, message: '' });
  }
  const writtenPlan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
  const order = { tool: 'delve', packageId: 'delve', version: '1.22.0', writtenPlan, owner: 'ann' };
  await rollouts.start({ ...order, plan: RolloutPlan.parse(writtenPlan) }, { by });
  const held = async () => (await catalog.listHeld('delve')).map(({ version }) => version);
  const { sha256 = '' } =
    (await catalog.listHeld('delve')).find(({ version }) => version === '1.22.0.1') ?? {};
  db.prepare('INSERT INTO pending_blobs (sha256, bytes) VALUES (?, ?)').run(sha256, Buffer.from(''));

  await rollouts.act(1, { kind: 'complete' }, { by });
  await rollouts.tick();
  expect(await held()).toEqual(['1.22.0.1']);
  db.prepare('DELETE FROM pending_blobs WHERE sha256 = ?').run(sha256);
  await rollouts.tick();

  expect(await held()).toEqual([]);
  expect(await heldManifests.find('delve', '1.22.0.1')).toBeUndefined();
  expect(db.prepare('SELECT * FROM held_leftovers').all()).toEqual([]);
  db.close();
  await rm(dir, { recursive: true, force: true });
});

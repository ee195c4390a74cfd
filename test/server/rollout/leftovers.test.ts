import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../formats/rollout-plan.ts';
import { operator as by } from '../../../server/audit/audit.ts';
import { createSqlCatalog, type SqlCatalog } from '../../../server/catalog/sql/catalog.ts';
import { type Connection, openDatabase } from '../../../server/database/connection.ts';
import { openRollouts } from '../../../server/rollout-services.ts';
import { makePackage } from '../../kit/new-package.ts';
import { makeTempDir } from '../../kit/test-server.ts';

describe('a correction whose bytes were not durable at the end of its rollout', () => {
  const now = () => new Date('2026-01-01T00:00:00Z');
  const manifestOf = (version: string) => ({
    ...{ tool: 'delve', version, packageId: 'delve', text: version, message: '' },
  });
  let dir: string;
  let db: Connection;
  let catalog: SqlCatalog;
  let parts: ReturnType<typeof openRollouts>;
  const held = async () => (await catalog.listHeld('delve')).map(({ version }) => version);
  const leftovers = () => db.prepare('SELECT version FROM held_leftovers').all();
  const endPending = () => db.prepare('DELETE FROM pending_blobs').run();
  beforeEach(async () => {
    dir = await makeTempDir();
    db = openDatabase(join(dir, 'catalog.db'));
    catalog = createSqlCatalog(db, now);
    parts = openRollouts(db, { catalog, approvals: [], now });
    const { rollouts, heldManifests } = parts;
    await catalog.add(makePackage({ id: 'delve', version: '1.21.0' }), by);
    for (const version of ['1.22.0', '1.22.0.1']) {
      await catalog.hold(makePackage({ id: 'delve', version }), by);
      await heldManifests.put(manifestOf(version));
    }
    const writtenPlan = { steps: [{ percent: 100, hold: '1h', needs: 0 }] };
    const order = { tool: 'delve', packageId: 'delve', version: '1.22.0', writtenPlan, owner: 'ann' };
    await rollouts.start({ ...order, plan: RolloutPlan.parse(writtenPlan) }, { by });
    const { sha256 = '' } =
      (await catalog.listHeld('delve')).find(({ version }) => version === '1.22.0.1') ?? {};
    db.prepare('INSERT INTO pending_blobs (sha256, bytes) VALUES (?, ?)').run(sha256, Buffer.from(''));

    await rollouts.act(1, { kind: 'complete' }, { by });
    await rollouts.tick();
    expect(await held()).toEqual(['1.22.0.1']);
    expect(leftovers()).toEqual([{ version: '1.22.0.1' }]);
  });
  afterEach(async () => {
    db.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('is taken away at the next tick', async () => {
    endPending();
    await parts.rollouts.tick();

    expect(await held()).toEqual([]);
    expect(await parts.heldManifests.find('delve', '1.22.0.1')).toBeUndefined();
    expect(leftovers()).toEqual([]);
  });

  it('stays where it was uploaded again', async () => {
    expect(await parts.heldManifests.put(manifestOf('1.22.0.1'))).toBe('same');
    endPending();
    await parts.rollouts.tick();

    expect(await held()).toEqual(['1.22.0.1']);
    expect(leftovers()).toEqual([]);
  });

  it('stays where its manifest was uploaded again with other addresses', async () => {
    expect(await parts.heldManifests.replaceText('delve', '1.22.0.1', '1.22.0.1', 'moved')).toBe('replaced');
    endPending();
    await parts.rollouts.tick();

    expect(await held()).toEqual(['1.22.0.1']);
  });

  it('leaves its number to other bytes once it was taken away by hand', async () => {
    endPending();
    const what = { tool: 'delve', version: '1.22.0.1', isOnBranch: false, keepsPayloads: false };
    expect(await parts.rollouts.discard(what, { by })).toBe('discarded');
    expect(leftovers()).toEqual([]);
    await catalog.hold(makePackage({ id: 'delve', version: '1.22.0.1' }), by);
    await parts.rollouts.tick();

    expect(await held()).toEqual(['1.22.0.1']);
  });
});

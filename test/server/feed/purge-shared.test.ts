import { afterEach, beforeEach, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { createPurging } from '../../../server/feed/purge.ts';
import { createLogger } from '../../../server/log.ts';
import type { DatabaseFixture } from '../../contract/database.ts';
import { openSqliteFixture } from '../../kit/sqlite-fixture.ts';

let fixture: DatabaseFixture;
beforeEach(async () => {
  fixture = await openSqliteFixture();
});
afterEach(() => fixture.close());

/** `meanwhile` is what another server does once the branches were looked at. */
function openPurging(meanwhile: () => Promise<unknown>, queue: string[] = []) {
  const manifests: { tool: string; version: string; text: string }[] = [];
  const history = fixture.sharedHistory();
  const purging = createPurging({
    catalog: fixture.feed().catalog,
    blobs: {} as never,
    blobFlusher: { flush: async () => undefined },
    purgeQueue: {
      list: async () => [...queue],
      async removeUnnamed(sha256) {
        queue.splice(queue.indexOf(sha256), 1);
        return true;
      },
      isScrubbed: async () => true,
      scrub: async () => true,
    },
    bucket: {
      between: async (work) => work(await history.newest()),
      async listManifests(channel) {
        const seen = [...manifests];
        if (channel === 'beta') await meanwhile();
        return seen;
      },
      async finishCommits() {
        const pending = fixture.pendingCommits();
        for (let next = await pending.first(); next !== undefined; next = await pending.first()) {
          manifests.push(next);
          await pending.remove(next.number);
        }
      },
    },
    lockForRemoving: async () => () => undefined,
    log: createLogger('silent'),
  });
  return { purging, manifests, history };
}

const order = { id: 'buf', version: '1.32.0', reason: 'a law' };
const payload = { tool: 'buf', version: '1.32.0', file: 'buf.exe', sha256: 'f'.repeat(64), sizeBytes: 1 };
const move = { ref: 'refs/heads/main', from: undefined, to: 'a'.repeat(40) };

it('purges nothing that another server has published after the branches were looked at', async () => {
  await fixture.payloads().add({ ...payload, created: fixture.time }, operator);
  const { purging, manifests, history } = openPurging(async () => {
    if (manifests.length > 0) return;
    manifests.push({ tool: 'buf', version: '1.32.0', text: '{}' });
    await history.publish(await history.newest(), { moves: [move], pack: undefined, by: operator });
  });

  await expect(purging.purge(order, operator)).rejects.toMatchObject({ code: 'PURGE_OFFERED' });

  expect(await fixture.payloads().find('buf', '1.32.0', 'buf.exe')).toMatchObject(payload);
  await purging.close();
});

it('purges what nothing offers after all, and says so to other servers', async () => {
  await fixture.payloads().add({ ...payload, created: fixture.time }, operator);
  let looks = 0;
  const { purging, history } = openPurging(async () => {
    looks += 1;
    if (looks > 1) return;
    await history.publish(await history.newest(), { moves: [move], pack: undefined, by: operator });
  });

  expect(await purging.purge(order, operator)).toMatchObject({ files: ['dl/buf/1.32.0/buf.exe'] });

  expect([looks, (await history.newest()).generation]).toEqual([2, 2]);
  await purging.close();
});

const decided = {
  ...{ tool: 'buf', version: '1.32.0', text: '{}', message: 'buf: Update to version 1.32.0' },
  branches: ['main', 'beta'] as const,
  at: new Date('2026-01-01'),
  by: operator,
};

it('purges nothing that the bucket is still to get, also when that is decided after the branches were looked at', async () => {
  await fixture.payloads().add({ ...payload, created: fixture.time }, operator);
  let isDecided = false;
  const { purging } = openPurging(async () => {
    if (!isDecided) await fixture.addPendingCommit(decided);
    isDecided = true;
  });

  await expect(purging.purge(order, operator)).rejects.toMatchObject({ code: 'PURGE_OFFERED' });

  expect(await fixture.payloads().find('buf', '1.32.0', 'buf.exe')).toMatchObject(payload);
  await purging.close();
});

it('publishes nothing afterwards that was purged by force before the bucket had it', async () => {
  await fixture.payloads().add({ ...payload, created: fixture.time }, operator);
  await fixture.addPendingCommit(decided);
  await fixture.addPendingCommit({ ...decided, tool: 'other' });
  const { purging } = openPurging(async () => undefined);

  await purging.purge({ ...order, force: true }, operator);

  expect(await fixture.pendingCommits().first()).toMatchObject({ tool: 'other' });
  await purging.close();
});

it('purges by force whatever other servers publish', async () => {
  await fixture.payloads().add({ ...payload, created: fixture.time }, operator);
  const { purging, history } = openPurging(async () => undefined);
  await purging.purge({ ...order, force: true }, operator);
  expect((await history.newest()).generation).toBe(0);
  await purging.close();
});

it('finishes what another server has left in the queue', async () => {
  const queue: string[] = [];
  const { purging } = openPurging(async () => undefined, queue);
  expect(await purging.sweep()).toBe(true);

  purging.watch(1);
  queue.push('e'.repeat(64));

  await expect.poll(() => queue).toEqual([]);
  await purging.close();
});

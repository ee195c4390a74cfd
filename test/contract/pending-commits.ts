import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewPendingCommit } from '../../server/bucket/pending-commits.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with commits that branches are still to get. */
export function describePendingCommits(name: string, open: OpenFixture): void {
  describe(`pending commits in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const make = (tool: string, changes: Partial<NewPendingCommit> = {}): NewPendingCommit => ({
      ...{ tool, version: '1.22.0', text: '{"ä": 1}\n', message: `${tool}: Update to version 1.22.0\n\nwhy` },
      branches: ['main', 'beta'],
      at: new Date('2026-01-02T03:04:05.678Z'),
      by: { keyId: 'k1', keyName: 'ops', from: '192.0.2.1' },
      ...changes,
    });

    it('come in their order, over a restart, until they are removed', async () => {
      const [first, second] = [make('delve', { reason: 'alert' }), make('buf', { branches: ['beta'] })];
      expect(await fixture.pendingCommits().first()).toBeUndefined();
      await fixture.addPendingCommit(first);
      await fixture.addPendingCommit(second);
      await fixture.reopen();

      const pending = fixture.pendingCommits();
      const found = (await pending.first())!;
      expect(found).toEqual({ ...first, number: found.number });
      await pending.remove(found.number);
      await pending.remove(found.number);
      const next = (await pending.first())!;
      expect(next).toEqual({ ...second, number: next.number });
      await pending.remove(next.number);
      await fixture.reopen();
      expect(await fixture.pendingCommits().first()).toBeUndefined();
    });
  });
}

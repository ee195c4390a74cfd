import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with rings. */
export function describeRings(name: string, open: OpenFixture): void {
  describe(`rings in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const canary = { name: 'canary', globs: ['pc-0001', 'it-*'] };
    const beta = { name: 'beta', globs: ['*'] };

    it('lists them by name, with their clients in the order given', async () => {
      await fixture.rings().set(canary, operator);
      await fixture.rings().set(beta, operator);

      expect(await fixture.rings().list()).toEqual([beta, canary]);
      await fixture.reopen();
      expect(await fixture.rings().list()).toEqual([beta, canary]);
    });

    it('replaces the clients of a ring', async () => {
      await fixture.rings().set(canary, operator);
      await fixture.rings().set({ ...canary, globs: ['pc-0002'] }, operator);

      expect(await fixture.rings().list()).toEqual([{ name: 'canary', globs: ['pc-0002'] }]);
    });

    it('removes one, once', async () => {
      await fixture.rings().set(canary, operator);
      await fixture.rings().set(beta, operator);

      expect(await fixture.rings().remove('canary', operator)).toBe('removed');
      expect(await fixture.rings().remove('canary', operator)).toBe('missing');
      expect(await fixture.rings().list()).toEqual([beta]);
    });

    it('writes into the audit log who changed which', async () => {
      const by = { keyId: 'k', keyName: 'ops', from: '192.0.2.1' };
      await fixture.rings().set(canary, by);
      await fixture.rings().remove('canary', by);
      await fixture.rings().remove('canary', by);

      const entries = await fixture.audit().list({ limit: 10 });
      expect(entries.map(({ change, by: { keyName } }) => [change, keyName])).toEqual([
        [{ kind: 'ring set', subject: 'canary', detail: 'pc-0001 it-*' }, 'ops'],
        [{ kind: 'ring removed', subject: 'canary' }, 'ops'],
      ]);
    });
  });
}

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with refusals. */
export function describeRefusals(name: string, open: OpenFixture): void {
  describe(`refusals in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const later = (ms: number): void => {
      fixture.time = new Date(fixture.time.getTime() + ms);
    };
    const all = { after: 0, limit: 1000 };
    const unknown = { code: 'KEY_INVALID', route: 'feed' };

    it('are a row for equal ones, with first and last time, written once and numbered', async () => {
      const refusals = fixture.refusals();
      refusals.note({ ...unknown, from: '2001:db8:1:2:3::1' });
      later(1000);
      refusals.note({ ...unknown, from: '2001:db8:1:2:ffff::7' });
      refusals.note({ code: 'KEY_SCOPE', route: 'api', keyId: 'k1', keyName: 'ci', from: '::ffff:10.0.0.1' });
      await refusals.flush();
      later(1000);
      refusals.note({ ...unknown, from: '2001:db8:1:2::1' });
      await refusals.flush();

      const again = fixture.refusals();
      expect(await again.list(all)).toEqual([
        {
          ...unknown,
          number: 1,
          from: '2001:db8:1:2::/64',
          count: 2,
          first: new Date('2026-01-01T00:00:00Z'),
          last: new Date('2026-01-01T00:00:01Z'),
        },
        expect.objectContaining({ number: 2, keyId: 'k1', keyName: 'ci', from: '10.0.0.1', count: 1 }),
        expect.objectContaining({ number: 3, count: 1, first: new Date('2026-01-01T00:00:02Z') }),
      ]);
      expect((await again.list({ after: 1, limit: 1 })).map(({ number }) => number)).toEqual([2]);
    });

    it('of a million addresses are some rows, and all are counted', async () => {
      const refusals = fixture.refusals({ maxApart: 5 });
      for (let at = 0; at < 3000; at++)
        refusals.note({ ...unknown, route: `r${at % 7}`, from: `10.0.${at >> 8}.${at & 255}` });
      await refusals.flush();

      const rows = await fixture.refusals().list(all);

      expect(rows).toHaveLength(6);
      expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(3000);
      expect(rows.find(({ from }) => from === undefined)).toMatchObject({
        code: 'KEY_INVALID',
        route: '*',
        count: 2995,
      });
    });

    it('tell addresses apart again in the next minute', async () => {
      const refusals = fixture.refusals({ maxApart: 1 });
      refusals.note({ ...unknown, from: '10.0.0.1' });
      refusals.note({ ...unknown, from: '10.0.0.2' });
      later(60_000);
      refusals.note({ ...unknown, from: '10.0.0.3' });
      await refusals.flush();

      const rows = await fixture.refusals().list(all);

      expect(rows.map(({ from }) => from)).toEqual(['10.0.0.1', undefined, '10.0.0.3']);
    });

    it('of strangers never drive out those of known keys; numbers go on', async () => {
      const known = { code: 'KEY_EXPIRED', route: 'feed', keyId: 'k1', keyName: 'ci' };
      const refusals = fixture.refusals({ maxRows: 3 });
      refusals.note(known);
      await refusals.flush();
      for (let at = 0; at < 5; at++) {
        refusals.note({ ...unknown, from: `10.0.0.${at}` });
        await refusals.flush();
      }

      const rows = await fixture.refusals().list(all);

      expect(rows.map(({ number, code }) => [number, code])).toEqual([
        [1, 'KEY_EXPIRED'],
        [4, 'KEY_INVALID'],
        [5, 'KEY_INVALID'],
        [6, 'KEY_INVALID'],
      ]);
    });
  });
}

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
      const rows = await again.list(all);
      const [one = 0, two = 0, three = 0] = rows.map(({ number }) => number);
      expect(one < two && two < three).toBe(true);
      expect(rows).toEqual([
        {
          ...unknown,
          number: one,
          from: '2001:db8:1:2::/64',
          count: 2,
          first: new Date('2026-01-01T00:00:00Z'),
          last: new Date('2026-01-01T00:00:01Z'),
        },
        expect.objectContaining({ number: two, keyId: 'k1', keyName: 'ci', from: '10.0.0.1', count: 1 }),
        expect.objectContaining({ number: three, count: 1, first: new Date('2026-01-01T00:00:02Z') }),
      ]);
      expect((await again.list({ after: one, limit: 1 })).map(({ number }) => number)).toEqual([two]);
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

    it('of one address leave room for those of others, however long it goes on', async () => {
      const refusals = fixture.refusals({ maxApart: 10, maxOfAddress: 3 });
      for (let second = 0; second < 5; second++) {
        for (let route = 0; route < 9; route++)
          refusals.note({ ...unknown, route: `r${route}`, from: '10.0.0.1' });
        await refusals.flush();
        later(1000);
      }
      refusals.note({ ...unknown, from: '10.0.0.2' });
      await refusals.flush();

      const rows = await fixture.refusals().list(all);

      expect(new Set(rows.map(({ from, route }) => `${from} ${route}`))).toEqual(
        new Set(['10.0.0.1 r0', '10.0.0.1 r1', '10.0.0.1 r2', 'undefined *', '10.0.0.2 feed']),
      );
    });

    it('have higher numbers than before where older rows were restored', async () => {
      const refusals = fixture.refusals();
      for (const route of ['a', 'b', 'c']) refusals.note({ ...unknown, route });
      await refusals.flush();
      const before = (await refusals.list(all)).at(-1)?.number ?? 0;
      later(60_000);
      refusals.note(unknown);
      await refusals.flush();

      const [last] = (await refusals.list(all)).slice(-1);

      // Whatever rows there are, the clock alone is further.
      expect(before).toBeLessThan(fixture.time.getTime());
      expect(last?.number).toBeGreaterThanOrEqual(fixture.time.getTime());
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

    it('of strangers never drive out those of known keys', async () => {
      const known = { code: 'KEY_EXPIRED', route: 'feed', keyId: 'k1', keyName: 'ci' };
      const refusals = fixture.refusals({ maxRows: 3 });
      refusals.note(known);
      await refusals.flush();
      for (let at = 0; at < 5; at++) {
        refusals.note({ ...unknown, from: `10.0.0.${at}` });
        await refusals.flush();
      }

      const rows = await fixture.refusals().list(all);

      expect(rows.map(({ code, from }) => [code, from])).toEqual([
        ['KEY_EXPIRED', undefined],
        ...[2, 3, 4].map((at) => ['KEY_INVALID', `10.0.0.${at}`]),
      ]);
    });
  });
}

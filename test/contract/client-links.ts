import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientLinks, StoredLink } from '../../server/bucket/client-links.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with the line of commits that clients pull. */
export function describeClientLinks(name: string, open: OpenFixture): void {
  describe(`links of clients in ${name}`, () => {
    let fixture: DatabaseFixture;
    let links: ClientLinks;
    beforeEach(async () => {
      fixture = await open();
      links = fixture.clientLinks();
    });
    afterEach(() => fixture.close());

    const link = (number: number, main = 'a'): StoredLink => ({
      number,
      main: main.repeat(40),
      offers: `[["buf","1.0.${number}","${'b'.repeat(40)}"]]`,
      at: new Date(1_700_000_000_123 + number),
      commit: `${number}`.repeat(40),
    });
    const serve = (
      client: string,
      view: string,
      since: number,
      made: StoredLink,
      texts?: Map<string, string>,
    ) => links.serve({ client, head: { view, since }, link: made.number }, made, texts);

    it('keep what was served, over a restart', async () => {
      await serve('pc-1', '1', 0, link(1), new Map([['blob', 'J\u00fcrgen\n']]));
      await serve('pc-2', '1,2', 1, link(2, 'c'));
      await links.serve({ client: 'pc-3', head: { view: '1', since: 0 }, link: 2 });
      await fixture.reopen();

      const again = fixture.clientLinks();
      expect(await again.list()).toEqual([link(1), link(2, 'c')]);
      expect(await again.newest()).toEqual(link(2, 'c'));
      expect(await again.linksOn('a'.repeat(40), 0)).toEqual([link(1)]);
      expect(await again.linksOn('a'.repeat(40), 2)).toEqual([]);
      expect(await again.headOf('pc-2')).toEqual({ view: '1,2', since: 1 });
      expect(await again.headOf('pc-4')).toBeUndefined();
      expect([await again.servedTo('1'), await again.servedTo('1,2'), await again.servedTo('')]).toEqual([
        2, 2, 0,
      ]);
      expect([await again.textOf('blob'), await again.textOf('other')]).toEqual(['J\u00fcrgen\n', undefined]);
    });

    it('never say that somebody was served less than before', async () => {
      await serve('pc-1', '1', 0, link(1));
      await serve('pc-1', '2', 1, link(2));
      await links.serve({ client: 'pc-1', head: { view: '2', since: 0 }, link: 1 });

      expect(await links.servedTo('2')).toBe(2);
      expect(await links.headOf('pc-1')).toEqual({ view: '2', since: 1 });
    });

    it('are kept whole or not at all', async () => {
      await serve('pc-1', '1', 0, link(1));

      const other = { ...link(2), commit: link(1).commit };
      await expect(serve('pc-2', '2', 0, other, new Map([['blob', 'text']]))).rejects.toThrow();

      expect([await links.headOf('pc-2'), await links.textOf('blob')]).toEqual([undefined, undefined]);
      expect(await links.newest()).toEqual(link(1));
    });

    it('are made by the first of two servers', async () => {
      expect(await serve('pc-1', '1', 0, link(1))).toBe(true);

      const other = { ...link(1), commit: 'd'.repeat(40) };
      expect(await serve('pc-2', '2', 0, other, new Map([['blob', 'text']]))).toBe(false);

      expect([await links.headOf('pc-2'), await links.textOf('blob')]).toEqual([undefined, undefined]);
      expect(await links.newest()).toEqual(link(1));
      expect(await serve('pc-2', '2', 0, link(2))).toBe(true);
    });

    it('can be dropped from one on, and go on from there', async () => {
      for (const number of [1, 2, 3]) await serve(`pc-${number}`, `${number}`, number, link(number));

      await links.dropFrom(3);
      expect(await links.list()).toEqual([link(1), link(2)]);
      expect([await links.servedTo('1'), await links.servedTo('3')]).toEqual([1, 2]);
      expect(await links.headOf('pc-3')).toEqual({ view: '3', since: 2 });
      await links.dropFrom(1);
      expect([await links.newest(), await links.servedTo('2')]).toEqual([undefined, 0]);
      expect(await links.headOf('pc-3')).toEqual({ view: '3', since: 0 });
      await serve('pc-3', '3', 0, link(1));
      expect(await links.newest()).toEqual(link(1));
    });
  });
}

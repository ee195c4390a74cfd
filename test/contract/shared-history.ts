import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginning, type Mark, type SharedHistory } from '../../server/bucket/shared-history.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does for the bucket that several servers share. */
export function describeSharedHistory(name: string, open: OpenFixture): void {
  describe(`the shared bucket in ${name}`, () => {
    let fixture: DatabaseFixture;
    let history: SharedHistory;
    beforeEach(async () => {
      fixture = await open();
      history = fixture.sharedHistory();
    });
    afterEach(() => fixture.close());

    const [main, beta] = ['refs/heads/main', 'refs/heads/beta'];
    const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
    const packOf = (number: number) => ({ sha256: `${number}`.padStart(64, '0'), sizeBytes: number });
    const by = { keyId: 'k1', keyName: 'ci', from: '192.0.2.1' };

    const refsOf = async (one: SharedHistory) => (await one.since(beginning))?.refs;

    async function push(seen: Mark, number: number, to = a): Promise<Mark> {
      const moves = [{ ref: main, from: undefined, to }];
      const mark = await history.publish(seen, { moves, pack: packOf(number), by });
      if (mark === undefined) throw new Error(`${number} was overtaken`);
      return mark;
    }

    it('begins with nothing', async () => {
      expect(await history.newest()).toEqual(beginning);
      expect(await history.since(beginning)).toEqual({ newest: beginning, packs: [], refs: {} });
      expect([await refsOf(history), await history.lastCheckpoint()]).toEqual([{}, 0]);
    });

    it('has each push as a generation, with its entries in the audit log', async () => {
      const first = await push(beginning, 1);
      const moves = [
        { ref: main, from: a, to: b },
        { ref: beta, from: undefined, to: c },
      ];
      const second = await history.publish(first, { moves, pack: undefined, by, reason: 'a release' });
      await fixture.reopen();

      const again = fixture.sharedHistory();
      expect(second).toMatchObject({ generation: 2 });
      expect(await again.newest()).toEqual(second);
      expect(await again.since(first)).toEqual({ newest: second, packs: [], refs: { [main]: b, [beta]: c } });
      expect(await again.since(beginning)).toMatchObject({
        packs: [packOf(1)],
        refs: { [main]: b, [beta]: c },
      });
      expect(await refsOf(again)).toEqual({ [main]: b, [beta]: c });
      expect(await fixture.audit().list({ limit: 10 })).toMatchObject([
        { change: { kind: 'bucket moved', subject: main, digest: `->${a}` }, by },
        { change: { kind: 'bucket moved', subject: main, digest: `${a}->${b}`, detail: 'a release' }, by },
        { change: { kind: 'bucket moved', subject: beta, digest: `->${c}` }, by },
      ]);
    });

    it('refuses a push that has not seen the one before', async () => {
      await push(beginning, 1);
      const late = { moves: [{ ref: beta, from: undefined, to: b }], pack: packOf(2), by };

      expect(await history.publish(beginning, late)).toBeUndefined();
      expect(await history.publish({ generation: 1, id: 'another' }, late)).toBeUndefined();

      expect([await refsOf(history), (await history.newest()).generation]).toEqual([{ [main]: a }, 1]);
      expect(await fixture.audit().list({ limit: 10 })).toHaveLength(1);
    });

    it('refuses a pack whose bytes may be gone', async () => {
      const moves = [{ ref: main, from: undefined, to: a }];
      const pack = { ...packOf(1), claim: 'a claim that has ended' };
      await expect(history.publish(beginning, { moves, pack, by })).rejects.toMatchObject({
        code: 'UPLOAD_COLLECTED',
      });
      await expect(history.keepCheckpoint(1, pack)).rejects.toMatchObject({ code: 'UPLOAD_COLLECTED' });
      expect(await history.newest()).toEqual(beginning);
      expect(await fixture.audit().list({ limit: 10 })).toEqual([]);
    });

    it('gets a generation by a purge, so that a push which was checked before is overtaken', async () => {
      const seen = await push(beginning, 1);
      const payload = {
        tool: 'buf',
        version: '1.32.0',
        file: 'buf.exe',
        sha256: 'f'.repeat(64),
        sizeBytes: 1,
      };
      await fixture.payloads().add({ ...payload, created: fixture.time }, by);
      const { catalog } = fixture.feed();

      expect(await catalog.purge('buf', '1.32.0', by, 'a law', { seen: beginning })).toBe('overtaken');
      expect(await fixture.payloads().find('buf', '1.32.0', 'buf.exe')).toMatchObject(payload);
      expect(await history.newest()).toEqual(seen);
      expect(await catalog.purge('none', '1.32.0', by, 'a law', { seen })).toBe('missing');
      expect(await history.newest()).toEqual(seen);

      expect(await catalog.purge('buf', '1.32.0', by, 'a law', { seen })).toMatchObject({
        files: ['dl/buf/1.32.0/buf.exe'],
      });
      const late = { moves: [{ ref: main, from: a, to: b }], pack: packOf(2), by };
      expect(await history.publish(seen, late)).toBeUndefined();
      const newest = await history.newest();
      expect(await history.since(seen)).toEqual({ newest, packs: [], refs: {} });
      expect(await history.publish(newest, late)).toMatchObject({ generation: 3 });
    });

    it('does not know a mark of another history', async () => {
      const { id } = await push(beginning, 1);
      expect(await history.since({ generation: 1, id: 'another' })).toBeUndefined();
      expect(await history.since({ generation: 2, id })).toBeUndefined();
    });

    it('is replaced as a whole, without entries in the audit log', async () => {
      const old = await push(await push(beginning, 1), 2);
      await history.keepCheckpoint(2, packOf(7));

      const mark = await history.begin({ [main]: b, [beta]: c }, packOf(3));

      expect(mark.generation).toBe(1);
      expect(await history.since(old)).toBeUndefined();
      expect(await history.since(beginning)).toEqual({
        newest: mark,
        packs: [packOf(3)],
        refs: { [main]: b, [beta]: c },
      });
      expect(await history.lastCheckpoint()).toBe(0);
      expect((await fixture.audit().list({ limit: 10 })).length).toBe(2);
    });

    it('has a checkpoint in place of many packs', async () => {
      let mark = beginning;
      const marks: Mark[] = [];
      for (let number = 1; number <= 25; number += 1) {
        mark = await push(mark, number);
        marks.push(mark);
      }
      await history.keepCheckpoint(23, packOf(99));
      await history.keepCheckpoint(22, packOf(98));

      expect(await history.lastCheckpoint()).toBe(23);
      expect((await history.since(beginning))?.packs).toEqual([packOf(99), packOf(24), packOf(25)]);
      const near = marks[19] ?? beginning;
      expect((await history.since(near))?.packs).toEqual([21, 22, 23, 24, 25].map(packOf));
      expect((await history.since(marks[23] ?? beginning))?.packs).toEqual([packOf(25)]);
      expect((await history.since(beginning))?.instead).toEqual(
        Array.from({ length: 25 }, (_one, at) => packOf(at + 1)),
      );
      expect((await history.since(near))?.instead).toBeUndefined();
    });
  });
}

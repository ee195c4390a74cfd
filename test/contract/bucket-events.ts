import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does for the bucket. */
export function describeBucketEvents(name: string, open: OpenFixture): void {
  describe(`the bucket's events in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const [main, beta] = ['refs/heads/main', 'refs/heads/beta'];
    const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
    const never = new AbortController().signal;

    it('record where each ref went last', async () => {
      const events = fixture.bucketEvents();
      expect(await events.lastMove(main)).toBeUndefined();

      await events.record([{ ref: main, from: undefined, to: a }], operator);
      await events.record(
        [
          { ref: beta, from: a, to: c },
          { ref: main, from: a, to: b },
        ],
        operator,
        'a release',
      );
      await fixture.reopen();

      const again = fixture.bucketEvents();
      expect([await again.lastMove(main), await again.lastMove(beta)]).toEqual([b, c]);
      expect(await again.lastMove('refs/heads/other')).toBeUndefined();
    });

    it('are entries of the audit log, with who and why', async () => {
      const by = { keyId: 'k1', keyName: 'ci', from: '192.0.2.1' };
      await fixture.bucketEvents().record([{ ref: main, from: undefined, to: a }], by, 'a release');

      expect(await fixture.audit().list({ limit: 10 })).toMatchObject([
        { change: { kind: 'bucket moved', subject: main, digest: `->${a}`, detail: 'a release' }, by },
      ]);
    });

    it('give the lock to one at a time, in the order they came', async () => {
      const events = fixture.bucketEvents();
      const seen: string[] = [];
      const work = async (who: string) => {
        const release = await events.lock(never);
        seen.push(`${who} in`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${who} out`);
        release();
        release();
      };

      await Promise.all(['1', '2', '3'].map(work));

      expect(seen).toEqual(['1', '2', '3'].flatMap((who) => [`${who} in`, `${who} out`]));
    });

    it('give the lock to the next one when one stops waiting', async () => {
      const events = fixture.bucketEvents();
      const release = await events.lock(never);
      const impatient = new AbortController();
      const first = events.lock(impatient.signal);
      const second = events.lock(never);

      impatient.abort(new Error('gone'));
      release();

      await expect(first).rejects.toThrow('gone');
      (await second)();
      await expect(events.lock(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
    });
  });
}

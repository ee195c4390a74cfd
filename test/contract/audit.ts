import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditQuery, operator } from '../../server/audit/audit.ts';
import { noHash } from '../../server/audit/chain.ts';
import { verifyChain } from '../../server/audit/verify.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with the audit log. */
export function describeAudit(name: string, open: OpenFixture): void {
  describe(`the audit log in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const imported = (subject: string) => ({ kind: 'packages imported', subject }) as const;
    const subjects = async (query: Partial<AuditQuery>) =>
      (await fixture.audit().list({ limit: 100, ...query })).map(({ change }) => change.subject);

    it('returns what was recorded, also after reopening', async () => {
      const change = { ...imported('Feed'), version: '1.0', file: 'x.exe', digest: 'a>b', detail: 'why' };
      const by = { keyId: 'k1', keyName: 'ci', from: '192.0.2.1' };
      await fixture.audit().record([change, imported('other')], by);
      await fixture.reopen();

      const [first, second] = await fixture.audit().list({ limit: 10 });

      expect(first).toMatchObject({ number: 1, at: fixture.time, change, by, previous: noHash });
      expect(second).toEqual({
        ...{ number: 2, at: fixture.time, change: imported('other'), by },
        ...{ previous: first?.hash, hash: (await fixture.audit().head()).hash },
      });
    });

    it('is one chain, however many record at once', async () => {
      const audits = [fixture.audit(), fixture.audit()];
      await Promise.all(
        Array.from({ length: 20 }, (_one, n) => audits[n % 2]?.record([imported(`${n}`)], operator)),
      );

      const entries = await fixture.audit().list({ limit: 100 });

      expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_one, n) => n + 1));
      const verdict = await verifyChain(
        (async function* () {
          yield* entries;
        })(),
      );
      expect(verdict).toEqual({ head: await fixture.audit().head(), broken: undefined });
    });

    it('has an empty head at first', async () => {
      expect(await fixture.audit().head()).toEqual({ number: 0, hash: noHash });
      expect(await subjects({})).toEqual([]);
    });

    it('is asked page by page, by time, and by subject in any case', async () => {
      const audit = fixture.audit();
      await audit.record([imported('Alpha'), imported('beta')], operator);
      fixture.time = new Date('2026-02-01T00:00:00Z');
      await audit.record([imported('ALPHA'), imported('gamma')], operator);

      expect(await subjects({ limit: 2 })).toEqual(['Alpha', 'beta']);
      expect(await subjects({ after: 2, limit: 1 })).toEqual(['ALPHA']);
      expect(await subjects({ since: fixture.time })).toEqual(['ALPHA', 'gamma']);
      expect(await subjects({ subject: 'alpha' })).toEqual(['Alpha', 'ALPHA']);
      expect(await subjects({ subject: 'alpha', after: 1, since: new Date(0) })).toEqual(['ALPHA']);
    });
  });
}

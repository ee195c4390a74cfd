import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../server/audit/audit.ts';
import type { DatabaseFixture, OpenFixture } from './database.ts';

/** What every database does with clients that ask under their own addresses. */
export function describeClients(name: string, open: OpenFixture): void {
  describe(`clients in ${name}`, () => {
    let fixture: DatabaseFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const from = '192.0.2.1';
    const on = (day: string): void => {
      fixture.time = new Date(`${day}T23:59:59Z`);
    };

    it('knows the first and the last day of each, once flushed also after it was opened again', async () => {
      const clients = fixture.clients();
      on('2026-02-28');
      expect([clients.see('pc-2', from), clients.see('pc-1', from), clients.see('pc-1', from)]).toEqual([
        true,
        true,
        true,
      ]);
      on('2026-03-01');
      clients.see('pc-1', '198.51.100.1');
      await clients.flush();

      const seen = [
        { id: 'pc-1', firstSeen: '2026-02-28', lastSeen: '2026-03-01' },
        { id: 'pc-2', firstSeen: '2026-02-28', lastSeen: '2026-02-28' },
      ];
      expect(await fixture.clients().list({ limit: 10 })).toEqual(seen);
      expect(await fixture.clients().list({ after: 'pc-1', limit: 10 })).toEqual(seen.slice(1));
      expect(await fixture.clients().list({ limit: 1 })).toEqual(seen.slice(0, 1));
      expect(await fixture.clients().find('pc-2')).toEqual(seen[1]);
      expect(await fixture.clients().find('pc-3')).toBeUndefined();
      expect(await fixture.clients().count()).toBe(2);
    });

    it('knows what each downloaded last, until it is forgotten; of no client that is not recorded', async () => {
      const clients = fixture.clients();
      on('2026-03-01');
      clients.see('pc-1', from);
      clients.noteDownload('pc-1', 'Delve', '1.21.0');
      clients.noteDownload('pc-1', 'buf', '1.32.0');
      clients.noteDownload('pc-9', 'buf', '1.32.0');
      await clients.flush();
      on('2026-03-02');
      clients.noteDownload('pc-1', 'delve', '1.22.0');

      expect(await clients.downloads('pc-1')).toEqual([
        { packageId: 'buf', version: '1.32.0', day: '2026-03-01' },
        { packageId: 'delve', version: '1.22.0', day: '2026-03-02' },
      ]);
      expect(await clients.downloads('pc-9')).toEqual([]);
      expect(await clients.forget('pc-1', operator)).toBe('forgotten');
      expect(await fixture.clients().downloads('pc-1')).toEqual([]);
    });

    it('shows at once what it has not written yet', async () => {
      const clients = fixture.clients();
      clients.see('pc-1', from);

      expect(await clients.count()).toBe(1);
    });

    it('never moves the last day back', async () => {
      const clients = fixture.clients();
      on('2026-03-02');
      clients.see('pc-1', from);
      await clients.flush();
      on('2026-03-01');
      clients.see('pc-1', from);

      expect(await clients.find('pc-1')).toMatchObject({ lastSeen: '2026-03-02' });
    });

    it('takes so many new ids from one address in an hour, and known ones always', async () => {
      const clients = fixture.clients({ maxNewAnHour: 2 });
      const see = (...ids: string[]): boolean[] => ids.map((id) => clients.see(id, from));

      expect(see('a', 'b', 'c', 'a', 'b')).toEqual([true, true, false, true, true]);
      expect(clients.see('c', '198.51.100.1')).toBe(true);
      // one machine has all of an IPv6 /64
      expect(['d', 'e', 'f'].map((id, at) => clients.see(id, `2001:db8::${at}`))).toEqual([
        true,
        true,
        false,
      ]);
      fixture.time = new Date(fixture.time.getTime() + 3_600_000);
      expect(see('g', 'a')).toEqual([true, true]);
      expect(await clients.count()).toBe(6);
    });

    it('takes so many ids at all', async () => {
      const clients = fixture.clients({ maxClients: 2 });

      expect(['a', 'b', 'c', 'a'].map((id, at) => clients.see(id, `192.0.2.${at}`))).toEqual([
        true,
        true,
        false,
        true,
      ]);
      await clients.flush();
      expect(['a', 'c'].map((id) => clients.see(id, from))).toEqual([true, false]);
    });

    it('forgets one, with an audit entry', async () => {
      const clients = fixture.clients();
      clients.see('pc-1', from);

      expect(await clients.forget('pc-1', operator)).toBe('forgotten');
      expect(await clients.forget('pc-1', operator)).toBe('missing');
      expect(await clients.find('pc-1')).toBeUndefined();
      expect(await fixture.audit().list({ limit: 10 })).toMatchObject([
        { change: { kind: 'client forgotten', subject: 'pc-1' } },
      ]);
    });
  });
}

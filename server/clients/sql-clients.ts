import { dayMs } from '../../formats/duration.ts';
import { addressGroup } from '../../formats/ip-address.ts';
import type { Connection } from '../database/connection.ts';
import { createDeferredWrite } from '../database/deferred-write.ts';
import type { Clients, KnownClient } from './clients.ts';

export type ClientLimits = {
  /** Ids that are kept. */
  readonly maxClients: number;
  /** New ids of one address in one hour; a machine has one id, a network address translator thousands behind it. */
  readonly maxNewAnHour: number;
};
const defaults: ClientLimits = { maxClients: 1_000_000, maxNewAnHour: 5_000 };

const msAnHour = 3_600_000;
/** To count a million takes 30 ms, and each request with an id that nobody knows would wait for it. */
const countedForMs = 10_000;

/** Clients in SQLite. `flush` before the connection is closed. `forgotten` is called after one was, before it is confirmed. */
export function createSqlClients(
  db: Connection,
  now: () => Date,
  limits: Partial<ClientLimits> = {},
  forgotten: () => void = () => undefined,
): Clients {
  const { maxClients, maxNewAnHour } = { ...defaults, ...limits };
  const { prepare, transact, writeStatistics } = db;
  let newcomers = { hour: -1, byAddress: new Map<string, number>() };
  /** All that are kept, with those that came since they were counted; what other servers add comes with the next count. */
  let kept = { until: Number.NEGATIVE_INFINITY, count: 0 };

  /** When clients were seen, by their ids. */
  const seen = createDeferredWrite<Days>(
    (days) =>
      writeStatistics(() => {
        for (const [id, { first, last }] of days) prepare(upsert).run(id, first, last);
      }),
    ({ first }, { last }) => ({ first, last }),
  );
  const downloaded = createDeferredWrite<Downloaded>(
    async (all) => {
      // They are kept of clients that are recorded.
      await seen.flush();
      await writeStatistics(() => {
        for (const { key, version, day } of all.values())
          prepare(upsertDownload).run(...key, version, day, key[0]);
      });
    },
    (_older, newer) => newer,
  );

  async function flush(): Promise<void> {
    await seen.flush();
    await downloaded.flush();
  }

  function lastDay(id: string): number | undefined {
    const row = prepare('SELECT last_day FROM clients WHERE id = ?').get(id);
    return seen.get(id)?.last ?? (row as { last_day: number } | undefined)?.last_day;
  }

  function count(): number {
    return (prepare('SELECT count(*) AS count FROM clients').get() as { count: number }).count;
  }

  function hasRoom(): boolean {
    const at = performance.now();
    if (at >= kept.until) kept = { until: at + countedForMs, count: count() + seen.size() };
    return kept.count < maxClients;
  }

  function isWelcome(from: string): boolean {
    const hour = Math.floor(now().getTime() / msAnHour);
    if (newcomers.hour !== hour) newcomers = { hour, byAddress: new Map() };
    const soFar = newcomers.byAddress.get(from) ?? 0;
    if (soFar >= maxNewAnHour || !hasRoom()) return false;
    kept.count += 1;
    newcomers.byAddress.set(from, soFar + 1);
    return true;
  }

  return {
    see(id, from) {
      const today = Math.floor(now().getTime() / dayMs);
      const last = lastDay(id);
      if (last !== undefined && last >= today) return true;
      if (last === undefined && !isWelcome(addressGroup(from ?? ''))) return false;
      seen.note(id, { first: today, last: today });
      return true;
    },
    noteDownload(id, packageId, version) {
      const day = Math.floor(now().getTime() / dayMs);
      const key = [id, packageId.toLowerCase()] as const;
      downloaded.note(key.join('\n'), { key, version, day });
    },
    async downloads(id) {
      await flush();
      const rows = prepare('SELECT * FROM client_downloads WHERE client = ? ORDER BY package_id').all(id);
      return (rows as RawDownload[]).map(({ package_id: packageId, version, day }) => ({
        ...{ packageId, version },
        day: dayOf(day),
      }));
    },
    async list({ after = '', limit }) {
      await flush();
      const rows = prepare('SELECT * FROM clients WHERE id > ? ORDER BY id LIMIT ?').all(after, limit);
      return (rows as RawClient[]).map(toClient);
    },
    async find(id) {
      await flush();
      const row = prepare('SELECT * FROM clients WHERE id = ?').get(id) as RawClient | undefined;
      return row && toClient(row);
    },
    async count() {
      await flush();
      return count();
    },
    async forget(id, by) {
      await flush();
      return transact(({ record, afterCommit }) => {
        afterCommit(() => {
          kept.until = Number.NEGATIVE_INFINITY;
          forgotten();
        });
        if (prepare(isAdmitted).get(id) !== undefined) return 'admitted';
        if (prepare('DELETE FROM clients WHERE id = ?').run(id).changes === 0) return 'missing';
        prepare('DELETE FROM client_downloads WHERE client = ?').run(id);
        record({ kind: 'client forgotten', subject: id }, by, now());
        return 'forgotten';
      });
    },
    flush,
  };
}

const upsert = `INSERT INTO clients (id, first_day, last_day) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET last_day = max(last_day, excluded.last_day)`;

/** Of clients that are recorded: there is a limit to them (contract section 9). */
const upsertDownload = `INSERT INTO client_downloads (client, package_id, version, day)
  SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM clients WHERE id = ?)
  ON CONFLICT DO UPDATE SET version = excluded.version, day = excluded.day`;

const isAdmitted = `SELECT 1 FROM admissions a JOIN rollouts r ON r.id = a.rollout
  WHERE a.client = ? AND r.state IN ('pending', 'rolling', 'halted')`;

type Downloaded = {
  readonly key: readonly [id: string, packageId: string];
  readonly version: string;
  readonly day: number;
};
type Days = { readonly first: number; readonly last: number };
type RawDownload = { package_id: string; version: string; day: number };
type RawClient = { id: string; first_day: number; last_day: number };

function toClient({ id, first_day, last_day }: RawClient): KnownClient {
  return { id, firstSeen: dayOf(first_day), lastSeen: dayOf(last_day) };
}

function dayOf(days: number): string {
  return new Date(days * dayMs).toISOString().slice(0, 10);
}

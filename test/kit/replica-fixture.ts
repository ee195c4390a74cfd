import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '../../server/log.ts';
import { openReplica, type Replica } from '../../server/replica/replica.ts';
import type { DatabaseFixture } from '../contract/database.ts';
import type { Postgres } from './postgres.ts';
import { portsOver } from './sqlite-fixture.ts';
import { makeTempDir } from './test-server.ts';

/** Methods that answer at once, from memory. */
const immediate = new Set([
  'see',
  'note',
  'noteDownload',
  'countDownload',
  'isSettled',
  'known',
  'watch',
  'readerFor',
  'withHeld',
]);

/** An empty database with all tables, and the file of a replica's copy of it. */
export type EmptyFeed = { readonly url: string; readonly copy: string };

/**
 * Makes the tables once for many tests, each of which gets a database and a copy of its own: without it they would take most tests'
 * time.
 */
export async function prepareEmptyFeeds(
  postgres: Postgres,
): Promise<{ next(): Promise<EmptyFeed>; remove(): Promise<void> }> {
  const dir = await makeTempDir();
  const copy = join(dir, 'copy.db');
  const template = await postgres.newDatabase();
  (await openReplica(template, copy, createLogger('silent'))).close();
  return {
    next: async () => ({ url: await postgres.newDatabase(template), copy }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/**
 * Two replicas on one PostgreSQL database. Every call of a port goes to the one that the call before did not go to, as behind a
 * load balancer.
 */
export async function openReplicaPair({ url, copy }: EmptyFeed): Promise<{
  readonly replicas: () => readonly Replica[];
  reopen(): Promise<void>;
  close(): Promise<void>;
}> {
  const dir = await makeTempDir();
  const log = createLogger('silent');
  for (const name of ['a', 'b']) await copyFile(copy, join(dir, `${name}.db`));
  const open = async (): Promise<readonly Replica[]> => {
    const replicas = [];
    for (const name of ['a', 'b'])
      replicas.push(await openReplica(url, join(dir, `${name}.db`), log, { trustMs: 5 }));
    for (const replica of replicas) replica.start();
    return replicas;
  };
  let replicas = await open();
  const close = (): void => {
    for (const replica of replicas) replica.close();
  };
  return {
    replicas: () => replicas,
    async reopen() {
      close();
      replicas = await open();
    },
    async close() {
      close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Counts that wait in the memory of one replica would not be seen by the other. */
type Flushing = { flush?(): Promise<void> };

/** @param ports the same port of each replica */
export function alternating<Port extends object>(replicas: readonly Replica[], ports: readonly Port[]): Port {
  let turn = 0;
  return new Proxy(ports[0] as Port, {
    get(_target, name: string) {
      const value = (ports[turn] as Record<string, unknown>)[name];
      if (typeof value !== 'function') return alternatingValue(value, name);
      return (...args: unknown[]) => {
        const at = turn;
        const port = ports[at] as Record<string, (...args: unknown[]) => unknown> & Flushing;
        if (immediate.has(name)) return port[name]?.(...args);
        turn = (turn + 1) % ports.length;
        const work = async (): Promise<unknown> => {
          for (const other of ports) if (other !== port) await (other as Flushing).flush?.();
          await replicas[at]?.refresh();
          const answer = await port[name]?.(...args);
          // For what answers at once, and cannot ask first.
          for (const replica of replicas) await replica.refresh();
          return answer;
        };
        return work();
      };
    },
  });

  function alternatingValue(value: unknown, name: string): unknown {
    const isPort = typeof value === 'object' && value !== null;
    if (!isPort) return value;
    return alternating(
      replicas,
      ports.map((port) => (port as Record<string, object>)[name] as object),
    );
  }
}

/**
 * @param each what goes to the other replica in turn: each call, or each port that is made, for those that keep in memory what
 *   they write later
 */
export async function openReplicaFixture(feed: EmptyFeed, each: 'call' | 'port'): Promise<DatabaseFixture> {
  let turn = 0;
  const pair = await openReplicaPair(feed);
  const times = { time: new Date('2026-01-01T00:00:00Z') };
  const overs = [0, 1].map((at) => {
    const ports = portsOver(() => (pair.replicas()[at] as Replica).database);
    Object.defineProperty(ports, 'time', { get: () => times.time });
    return ports;
  });
  const [first] = overs;
  const made = Object.keys(first as object).filter((name) => name !== 'time');
  const ports = made.map((name) => [
    name,
    (...args: unknown[]) => {
      const all = overs.map(
        (over) => (over as unknown as Record<string, (...args: unknown[]) => object>)[name],
      );
      if (name === 'addPendingCommit') return all[0]?.(...args);
      const inTurn = all.map((make, at) => ({ replica: pair.replicas()[at] as Replica, make }));
      if (each === 'port') inTurn.splice(turn++ % 2, 1);
      return alternating(
        inTurn.map(({ replica }) => replica),
        inTurn.map(({ make }) => make?.(...args) as object),
      );
    },
  ]);
  return Object.assign(
    times,
    Object.fromEntries(ports) as Omit<DatabaseFixture, 'time' | 'reopen' | 'close'>,
    {
      isShared: true as const,
      reopen: pair.reopen,
      close: pair.close,
    },
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import { trustMs } from '../server/replica/lease.ts';
import { type Cluster, canCluster, type Replica, startCluster } from '../test/kit/cluster.ts';
import { type Balancer, startHaproxy } from '../test/kit/haproxy.ts';
import { hasProgram } from '../test/kit/programs.ts';
import { adminKey, pushNupkg } from '../test/kit/test-server.ts';
import { type OutageLoad, startOutageLoad } from './outage-load.ts';
import { makeNupkg } from './packages.ts';
import { type Result, rateValue } from './results.ts';
import { exactly, outages as rows } from './rows.ts';
import type { Settings } from './settings.ts';

type Stand = {
  readonly cluster: Cluster;
  readonly balancer: Balancer;
  /** Of the program that is measured. */
  readonly main: string;
};
type Row = keyof typeof rows;

/** Three replicas behind HAProxy, from which something is taken away: how long until what clients see is right again. The worst round counts. */
export async function outageResults(settings: Settings): Promise<Result[]> {
  const { isChosen, rounds, say } = settings;
  if (!Object.values(rows).some(({ name }) => isChosen(name))) return [];
  const { args } = await settings.product();
  const [main = ''] = args;
  if (!canCluster || !hasProgram('haproxy') || args.length > 1) {
    say('outages: skipped, they need PostgreSQL, versitygw, HAProxy and --from dist');
    return [];
  }
  const cluster = await startCluster(3, { TRUST_PROXY: 'loopback', ADMIN_API_KEY: adminKey }, main);
  const urls = cluster.replicas.map(({ url }) => url);
  const balancer = await startHaproxy(Number(new URL(cluster.publicUrl).port), urls, '1s');
  const found = new Map<Row, number[]>();
  try {
    await warmUp(cluster);
    for (let round = 0; round < rounds; round += 1) {
      for (const measure of [cutOff, stopPostgres, freezeHolder, freezeReplica, killReplica]) {
        for (const [row, value] of await measure({ cluster, balancer, main }, round))
          found.set(row, [...(found.get(row) ?? []), value]);
        await untilAllServe(cluster, balancer);
      }
      say(`outages: round ${round + 1} of ${rounds}`);
    }
  } finally {
    await balancer.stop();
    await cluster.stop();
  }
  return [...found].map(([row, values]) => resultOf(row, values));
}

type Measured = readonly (readonly [row: Row, value: number])[];

/** One replica loses its way to the database: connections stay, and not a byte passes. */
async function cutOff({ cluster }: Stand, round: number): Promise<Measured> {
  const replica = cluster.replicas[round % 3] as Replica;
  // It keeps an answer of /readyz for a second: the worst is one that it gives in the last moment in which it trusts its copy.
  await sleep(1_100);
  replica.databaseWire.silence();
  const since = performance.now();
  await sleep(trustMs / 2);
  await isReady(replica);
  await until(async () => !(await isReady(replica)));
  const unready = performance.now() - since;
  replica.databaseWire.heal();
  return [
    ['cutOff', unready],
    ['connected', await until(() => isReady(replica))],
  ];
}

async function stopPostgres({ cluster: { postgres, replicas } }: Stand): Promise<Measured> {
  const since = performance.now();
  await postgres.kill();
  await Promise.all(replicas.map((replica) => until(async () => !(await isReady(replica)))));
  const unready = performance.now() - since;
  await postgres.start();
  const ready = await Promise.all(replicas.map((replica) => until(() => isReady(replica))));
  return [
    ['databaseAway', unready],
    ['databaseBack', Math.max(...ready)],
  ];
}

/** Of the server that holds the row which every change locks. */
async function freezeHolder({ cluster }: Stand, round: number): Promise<Measured> {
  const [holder, other] = [0, 1].map((at) => cluster.replicas[(round + at) % 3]) as [Replica, Replica];
  const held = `SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE relation = 'replica_state'::regclass AND mode = 'RowShareLock' AND granted AND state = 'idle in transaction'`;
  // It holds the row for longer.
  holder.databaseWire.delay(5);
  const load = startOutageLoad(holder.url, { pushers: 1, readers: 0 });
  let since = 0;
  do {
    holder.resume();
    await sleep(20);
    since = performance.now();
    holder.pause();
  } while ((await cluster.postgres.sql(held)) !== '1');
  const nupkg = makeNupkg({ id: `beside-frozen-${round}`, version: '1.0.0' });
  await until(async () => (await pushNupkg(other, nupkg, adminKey)).status === 201);
  const pushed = performance.now() - since;
  holder.databaseWire.heal();
  holder.resume();
  await load.end();
  return [['frozenHolder', pushed]];
}

async function freezeReplica({ cluster, balancer }: Stand, round: number): Promise<Measured> {
  const at = round % 3;
  cluster.replicas[at]?.pause();
  const out = await until(async () => !(await balancer.isUp(at)));
  cluster.replicas[at]?.resume();
  return [['frozen', out]];
}

async function killReplica({ cluster, balancer, main }: Stand, round: number): Promise<Measured> {
  const at = round % 3;
  const load = startOutageLoad(balancer.url, { pushers: 4, readers: 8 });
  await sleep(1_000);
  const killed = cluster.replicas[at]?.kill();
  const since = performance.now();
  await killed;
  // Until then its sockets took connections.
  const ended = performance.now();
  while (await balancer.isUp(at)) await sleep(5);
  const out = performance.now() - since;
  await sleep(1_000);
  const seen = await load.end();
  await cluster.replicas[at]?.start(main);
  return [
    ['killed', out],
    ['failedInFlight', seen.failures.filter((begun) => begun < ended).length],
    ['failedAfter', seen.failures.filter((begun) => begun >= ended).length],
    ['lost', await countLost(cluster, seen)],
  ];
}

/** Of what was confirmed, how much is not on every replica. */
async function countLost(
  { replicas }: Cluster,
  { confirmed }: Awaited<ReturnType<OutageLoad['end']>>,
): Promise<number> {
  let lost = 0;
  for (const { url } of replicas)
    for (const pkg of confirmed) if (!(await isFound(`${url}${exactly('/nuget', pkg)}`))) lost += 1;
  return lost;
}

/** What is loaded and compiled at the first use is no part of an outage. */
async function warmUp({ replicas }: Cluster): Promise<void> {
  const loads = replicas.map(({ url }) => startOutageLoad(url, { pushers: 1, readers: 2 }));
  await sleep(2_000);
  await Promise.all(loads.map((load) => load.end()));
}

async function untilAllServe({ replicas }: Cluster, balancer: Balancer): Promise<void> {
  for (const at of replicas.keys()) await until(() => balancer.isUp(at));
}

async function isFound(url: string): Promise<boolean> {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status === 200;
}

function isReady({ url }: Replica): Promise<boolean> {
  return isFound(`${url}/readyz`);
}

/** The milliseconds until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<number> {
  const since = performance.now();
  while (!(await isSo())) await sleep(10);
  return performance.now() - since;
}

function resultOf(row: Row, values: readonly number[]): Result {
  const { name, unit, must } = rows[row] as { name: string; unit: string; must?: number };
  const worst = Math.round(Math.max(...values));
  return {
    operation: name,
    feed: `${worst} ${unit}`.trim(),
    ...rateValue(worst, must === undefined ? {} : { must }),
  };
}

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createInstallationMetrics, type InstallationValues } from './installation-metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { createRequestMetrics, type ObserveRequest } from './request-metrics.ts';

/** Values that have to be read each time somebody reads the metrics. */
export type MetricSources = {
  readonly catalogTotals: () => Promise<{ ids: number; versions: number; bytes: number }>;
  readonly payloadBytes: () => Promise<number>;
  /** The age of what each channel of the bucket offers. */
  readonly toolAges: () => Promise<readonly { tool: string; channel: string; days: number }[]>;
  readonly openRollouts: () => Promise<readonly RolloutValues[]>;
  readonly installation: () => Promise<InstallationValues>;
};

/** An open rollout: how many of its steps have begun, what it waits for, and its clients. */
type RolloutValues = {
  readonly id: number;
  readonly tool: string;
  /** Undefined: whoever asks may not know it; the rollout's number stands for it. */
  readonly version: string | undefined;
  readonly state: string;
  readonly step: number;
  readonly waitsFor: string;
  readonly waitingSeconds: number;
  readonly clients: Readonly<Record<string, number>>;
};

/** How far a server is that shares its database with others. */
type ReplicaState = { readonly revision: number; readonly unconfirmedMs: number };

/** How many traces had which outcome (tracing/tracer.ts). */
type TraceCounts = Readonly<Record<string, number>>;

/** The kinds of uploads: a nupkg on the feed, a payload at /dl, a git push to the bucket. */
export type PushKind = 'package' | 'payload' | 'bucket';

export type Metrics = {
  readonly observeRequest: ObserveRequest;
  /** `published`; `same` for a payload that existed; `refused` by the bucket's rules; or the error code. */
  countPush(kind: PushKind, outcome: string, ms: number): void;
  countDownload(id: string): void;
  /** A request whose key or password was missing, or not enough: the code of the error. */
  countRefusal(code: string): void;
  /** Every metric of ours, whether it has a value or not. */
  names(): readonly string[];
  /** In Prometheus' text format. */
  print(sources: MetricSources): Promise<string>;
};

export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE;

/** From a small package on a fast network to gigabytes on a slow one. */
const pushBuckets = [0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** Ids with their own row: the first ones downloaded after the start. All others are `other`. */
const maxIds = 200;

/** All documented metrics (docs/operate/watching.md), and those of the Node process. */
export function createMetrics(replica?: () => ReplicaState, traces?: () => TraceCounts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registry);
  const observeRequest = createRequestMetrics(registry);
  /** Downloads that nobody has read from the metrics yet. */
  const fresh = new Map<string, number>();
  const metrics = {
    pushes: new Counter({
      name: 'gwt_pushes_total',
      help: 'Pushes of packages, payloads and to the bucket, by outcome: published, same, refused, or the code of the error.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    pushSeconds: new Histogram({
      name: 'gwt_push_duration_seconds',
      help: 'Time from the beginning of a push to its outcome, with the upload at the pace of the client.',
      labelNames: ['kind'],
      buckets: pushBuckets,
      registers,
    }),
    downloads: new Counter({
      name: 'gwt_downloads_total',
      help: `Whole downloads by package id or tool; the first ${maxIds} ids since the start, and other.`,
      labelNames: ['id'],
      registers,
      collect() {
        for (const [id, count] of fresh) this.inc({ id }, count);
        fresh.clear();
      },
    }),
    refusals: new Counter({
      name: 'gwt_refusals_total',
      help: 'Requests whose key or password was missing, or not enough, by the code of the error.',
      labelNames: ['code'],
      registers,
    }),
    ids: new Gauge({ name: 'gwt_catalog_ids', help: 'Package ids.', registers }),
    versions: new Gauge({
      name: 'gwt_catalog_versions',
      help: 'Package versions, listed or not.',
      registers,
    }),
    bytes: new Gauge({
      name: 'gwt_catalog_bytes',
      help: 'Size of what is published, by kind: packages, and the payloads of Scoop.',
      labelNames: ['kind'],
      registers,
    }),
    toolAge: new Gauge({
      name: 'gwt_tool_age_days',
      help: 'Days since the version that a channel of the bucket offers came to this server.',
      labelNames: ['tool', 'channel'],
      registers,
    }),
  };
  const rollouts = createRolloutMetrics(registers);
  const showInstallation = createInstallationMetrics(registry);
  if (replica !== undefined) registerReplica(registers, replica);
  if (traces !== undefined) registerTraces(registers, traces);
  const ids = new Set<string>();

  return {
    observeRequest,
    names: () => registry.getMetricsAsArray().flatMap(({ name }) => (name.startsWith('gwt_') ? [name] : [])),
    countPush(kind, outcome, ms) {
      metrics.pushes.inc({ kind, outcome });
      metrics.pushSeconds.observe({ kind }, ms / 1000);
    },
    countDownload(id) {
      const name = id.toLowerCase();
      if (ids.size < maxIds) ids.add(name);
      const shown = ids.has(name) ? name : 'other';
      fresh.set(shown, (fresh.get(shown) ?? 0) + 1);
    },
    countRefusal: (code) => metrics.refusals.inc({ code }),
    async print({ catalogTotals, payloadBytes, toolAges, openRollouts, installation }) {
      const totals = await catalogTotals();
      metrics.ids.set(totals.ids);
      metrics.versions.set(totals.versions);
      metrics.bytes.set({ kind: 'packages' }, totals.bytes);
      metrics.bytes.set({ kind: 'payloads' }, await payloadBytes());
      const ages = await toolAges();
      const open = await openRollouts();
      showInstallation(await installation());
      // Without a pause in between: somebody else may be reading.
      metrics.toolAge.reset();
      for (const { tool, channel, days } of ages) metrics.toolAge.set({ tool, channel }, days);
      rollouts.show(open);
      return registry.metrics();
    },
  };
}

function registerTraces(registers: Registry[], counts: () => TraceCounts): void {
  new Counter({
    name: 'gwt_traces_total',
    help: 'Traces by outcome: exported, failed (the collector did not take them), dropped (there was no room), not_sampled.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(counts())) this.inc({ outcome }, count);
    },
  });
}

/** What /metrics of this version has at the least, and docs/operate/watching.md explains. */
export function promisedMetrics(settings: {
  readonly databaseUrl?: string;
  readonly tracing?: object;
}): readonly string[] {
  const replica = settings.databaseUrl === undefined ? undefined : () => ({ revision: 0, unconfirmedMs: 0 });
  return createMetrics(replica, settings.tracing && (() => ({}))).names();
}

/** Read at each scrape, so that a replica without its database says so. */
function registerReplica(registers: Registry[], state: () => ReplicaState): void {
  new Gauge({
    name: 'gwt_replica_revision',
    help: 'The last change of the shared database that this replica has.',
    registers,
    collect() {
      this.set(state().revision);
    },
  });
  new Gauge({
    name: 'gwt_replica_unconfirmed_seconds',
    help: 'How long this replica has had no word from the shared database that it has every change.',
    registers,
    collect() {
      this.set(state().unconfirmedMs / 1000);
    },
  });
}

function createRolloutMetrics(registers: Registry[]): { show(open: readonly RolloutValues[]): void } {
  const of = ['tool', 'version', 'rollout'] as const;
  const metrics = {
    open: new Gauge({
      name: 'gwt_rollout_open',
      help: 'An open rollout: 1, with its state.',
      labelNames: [...of, 'state'],
      registers,
    }),
    step: new Gauge({
      name: 'gwt_rollout_step',
      help: 'How many steps of an open rollout have begun.',
      labelNames: of,
      registers,
    }),
    waiting: new Gauge({
      name: 'gwt_rollout_waiting_seconds',
      help: 'How long an open rollout has waited for something else than its hold.',
      labelNames: [...of, 'waits_for'],
      registers,
    }),
    clients: new Gauge({
      name: 'gwt_rollout_clients',
      help: 'Clients of an open rollout: known, eligible (reached by its steps), admitted, and received.',
      labelNames: [...of, 'are'],
      registers,
    }),
  };
  return {
    show(open) {
      for (const metric of Object.values(metrics)) metric.reset();
      for (const { id, tool, version, state, step, waitsFor, waitingSeconds, clients } of open) {
        const which = { tool, ...(version === undefined ? { rollout: id } : { version }) };
        metrics.open.set({ ...which, state }, 1);
        metrics.step.set(which, step);
        metrics.waiting.set({ ...which, waits_for: waitsFor }, waitingSeconds);
        for (const [are, count] of Object.entries(clients)) metrics.clients.set({ ...which, are }, count);
      }
    },
  };
}

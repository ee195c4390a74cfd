import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Values that have to be read each time somebody reads the metrics. */
export type MetricSources = {
  readonly catalogTotals: () => Promise<{ ids: number; versions: number; bytes: number }>;
  readonly payloadBytes: () => Promise<number>;
  /** The age of what each channel of the bucket offers. */
  readonly toolAges: () => Promise<readonly { tool: string; channel: string; days: number }[]>;
};

/** The kinds of uploads: a nupkg on the feed, a payload at /dl, a git push to the bucket. */
export type PushKind = 'package' | 'payload' | 'bucket';

export type Metrics = {
  /**
   * Called once for every request, when its answer has ended, so it must be cheap. `status` is undefined when the client left
   * first.
   */
  observeRequest(route: string, method: string | undefined, status: number | undefined, ms: number): void;
  /** `published`; `same` for a payload that existed; `refused` by the bucket's rules; or the error code. */
  countPush(kind: PushKind, outcome: string): void;
  countDownload(id: string): void;
  /** In Prometheus' text format. */
  print(sources: MetricSources): Promise<string>;
};

export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Ids with their own row: the first ones downloaded after the start. All others are `other`. */
const maxIds = 200;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
/** From an answer out of memory to a download of gigabytes. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300];

/** All documented metrics (docs/operate/watching.md), and those of the Node process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const metrics = {
    requests: new Counter({
      name: 'gwt_requests_total',
      help: 'Requests, by the part of the address space, method and status (0: the client went away first).',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'gwt_request_duration_seconds',
      help: 'Time from a request to the end of its answer, by the part of the address space.',
      labelNames: ['route'],
      buckets,
      registers,
    }),
    pushes: new Counter({
      name: 'gwt_pushes_total',
      help: 'Pushes of packages, payloads and to the bucket, by outcome: published, same, refused, or the code of the error.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    downloads: new Counter({
      name: 'gwt_downloads_total',
      help: `Whole downloads by package id or tool; the first ${maxIds} ids since the start, and other.`,
      labelNames: ['id'],
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
  const ids = new Set<string>();
  /** There are few combinations of labels, and finding one by its labels takes longer than counting. */
  const observed = new Map<string, { requests: Counter.Internal; durations: Histogram.Internal<'route'> }>();

  return {
    observeRequest(route, method = '', status = 0, ms) {
      const shown = methods.has(method) ? method : 'other';
      const name = `${route} ${shown} ${status}`;
      let of = observed.get(name);
      if (of === undefined) {
        of = {
          requests: metrics.requests.labels({ route, method: shown, status }),
          durations: metrics.durations.labels({ route }),
        };
        observed.set(name, of);
      }
      of.requests.inc();
      of.durations.observe(ms / 1000);
    },
    countPush: (kind, outcome) => metrics.pushes.inc({ kind, outcome }),
    countDownload(id) {
      const name = id.toLowerCase();
      if (ids.size < maxIds) ids.add(name);
      metrics.downloads.inc({ id: ids.has(name) ? name : 'other' });
    },
    async print({ catalogTotals, payloadBytes, toolAges }) {
      const totals = await catalogTotals();
      metrics.ids.set(totals.ids);
      metrics.versions.set(totals.versions);
      metrics.bytes.set({ kind: 'packages' }, totals.bytes);
      metrics.bytes.set({ kind: 'payloads' }, await payloadBytes());
      const ages = await toolAges();
      // Without a pause in between: somebody else may be reading.
      metrics.toolAge.reset();
      for (const { tool, channel, days } of ages) metrics.toolAge.set({ tool, channel }, days);
      return registry.metrics();
    },
  };
}

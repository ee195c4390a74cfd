import { Counter, type Histogram, type Registry } from 'prom-client';

/** Called once for every request, when its answer has ended, so it must be cheap. `status` is undefined when the client left first. */
export type ObserveRequest = (
  route: string,
  method: string | undefined,
  status: number | undefined,
  ms: number,
) => void;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'other'] as const;
/** From an answer out of memory to a download of gigabytes. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300];
const durations = {
  name: 'gwt_request_duration_seconds',
  help: 'Time from a request to the end of its answer, by the part of the address space.',
  type: 'histogram',
  aggregator: 'sum',
} as const;

type Route = {
  /** By status and method. */
  readonly requests: Map<number, { readonly method: string; readonly status: number; fresh: number }>;
  /** One more than there are buckets, for what is slower. */
  readonly inBucket: number[];
  count: number;
  sum: number;
};

/**
 * How many requests there were, and how long they took. Each is counted by adding to numbers: prom-client looks its set of labels up
 * again for each observation, which took as long as the log line. It gets the numbers when somebody reads the metrics.
 */
export function createRequestMetrics(registry: Registry): ObserveRequest {
  const routes = new Map<string, Route>();

  new Counter({
    name: 'gwt_requests_total',
    help: 'Requests, by the part of the address space, method and status (0: the client went away first).',
    labelNames: ['route', 'method', 'status'],
    registers: [registry],
    collect() {
      for (const [route, { requests }] of routes) {
        for (const one of requests.values()) {
          this.inc({ route, method: one.method, status: one.status }, one.fresh);
          one.fresh = 0;
        }
      }
    },
  });
  const histogram = {
    ...durations,
    get: async () => ({ ...durations, values: [...routes].flatMap(([route, of]) => valuesOf(route, of)) }),
    reset: () => undefined,
  };
  // What a registry asks of a metric; its type names the classes of prom-client.
  registry.registerMetric(histogram as unknown as Histogram);

  return (route, method = '', status = 0, ms) => {
    let of = routes.get(route);
    if (of === undefined) {
      of = { requests: new Map(), inBucket: [...buckets, 0].fill(0), count: 0, sum: 0 };
      routes.set(route, of);
    }
    const known = methods.indexOf(method as (typeof methods)[number]);
    const at = known < 0 ? methods.length - 1 : known;
    const key = status * methods.length + at;
    const requests = of.requests.get(key);
    if (requests === undefined) of.requests.set(key, { method: methods[at] ?? '', status, fresh: 1 });
    else requests.fresh += 1;
    const seconds = ms / 1000;
    const bucket = buckets.findIndex((limit) => seconds <= limit);
    const index = bucket < 0 ? buckets.length : bucket;
    of.inBucket[index] = (of.inBucket[index] ?? 0) + 1;
    of.count += 1;
    of.sum += seconds;
  };
}

function valuesOf(route: string, { inBucket, count, sum }: Route): object[] {
  const { name } = durations;
  const sharedLabels = { route };
  let below = 0;
  const values = buckets.map((le, at) => {
    below += inBucket[at] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: below };
  });
  return [
    ...values,
    { metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: count },
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
  ];
}

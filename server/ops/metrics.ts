import type { RequestHandler } from 'express';
import type { Catalog } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { type Metrics, metricsType } from '../metrics.ts';
import { readToolAges, type ToolAgeServices } from './tool-ages.ts';

export type MetricServices = ToolAgeServices & {
  readonly metrics: Pick<Metrics, 'print'>;
  readonly catalog: Pick<Catalog, 'totals'>;
  readonly payloads: Pick<Payloads, 'totalBytes'>;
};

/** Sums over all packages are made again at most this often, however many ask. */
const totalsMaxAgeMs = 30_000;

/** GET /metrics: what Prometheus reads. */
export function createMetricsHandler(services: MetricServices): RequestHandler {
  const { metrics, catalog, payloads } = services;
  const sources = {
    catalogTotals: keepFor(totalsMaxAgeMs, services.now, () => catalog.totals()),
    payloadBytes: keepFor(totalsMaxAgeMs, services.now, () => payloads.totalBytes()),
    toolAges: () => readToolAges(services),
  };
  return async (_req, res) => {
    const text = await metrics.print(sources);
    res.set({ 'Cache-Control': 'no-store', 'Content-Type': metricsType }).send(text);
  };
}

function keepFor<T>(maxAgeMs: number, now: () => Date, make: () => Promise<T>): () => Promise<T> {
  let kept: { readonly at: number; readonly value: T } | undefined;
  return async () => {
    const at = now().getTime();
    if (kept === undefined || at - kept.at >= maxAgeMs) kept = { at, value: await make() };
    return kept.value;
  };
}

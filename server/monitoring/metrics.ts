import type { RequestHandler } from 'express';
import type { Catalog } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { type Metrics, metricsType } from '../metrics.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { readOpenRollouts } from './open-rollouts.ts';
import { shareFor } from './share-for.ts';
import { readToolAges, type ToolAgeServices } from './tool-ages.ts';

export type MetricServices = ToolAgeServices & {
  readonly metrics: Pick<Metrics, 'print'>;
  readonly catalog: Pick<Catalog, 'totals'>;
  readonly payloads: Pick<Payloads, 'totalBytes'>;
  readonly rollouts: Pick<Rollouts, 'listOpen' | 'details'>;
};

/** Totals over all packages, and over all clients, are computed at most this often, however many ask. */
const totalsKeptMs = 30_000;
/** The ages of the tools need several git processes, and anybody may ask. */
const agesKeptMs = 1_000;

/** GET /metrics: for Prometheus. */
export function createMetricsHandler(services: MetricServices): RequestHandler {
  const { metrics, catalog, payloads, rollouts } = services;
  const sources = {
    catalogTotals: shareFor(totalsKeptMs, () => catalog.totals()),
    payloadBytes: shareFor(totalsKeptMs, () => payloads.totalBytes()),
    openRollouts: shareFor(totalsKeptMs, () => readOpenRollouts(rollouts)),
    toolAges: shareFor(agesKeptMs, () => readToolAges(services)),
  };
  return async (_req, res) => {
    const text = await metrics.print(sources);
    res.set({ 'Cache-Control': 'no-store', 'Content-Type': metricsType }).send(text);
  };
}

import type { Request, RequestHandler } from 'express';
import type { Catalog } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { FeedError } from '../errors.ts';
import { mayNameVersion, type ReadAuth } from '../http/read-access.ts';
import { type Metrics, metricsType } from '../metrics.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import { type InstallationServices, readInstallation } from './installation.ts';
import { readOpenRollouts } from './open-rollouts.ts';
import { shareFor } from './share-for.ts';
import { readToolAges, type ToolAge, type ToolAgeServices } from './tool-ages.ts';

export type MetricServices = ToolAgeServices &
  InstallationServices & {
    readonly config: { readonly readAuth?: ReadAuth };
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
  const { config, metrics, catalog, payloads, rollouts } = services;
  const open = shareFor(totalsKeptMs, () => readOpenRollouts(rollouts));

  /** The page may be open where the feed is not: then a version that is held back is named to keys that may read it. */
  async function openRollouts(req: Request) {
    const shown = [];
    for (const rollout of await open()) {
      const isNamed = await mayNameVersion(config.readAuth, req, rollout);
      shown.push({ ...rollout, version: isNamed ? rollout.version : undefined });
    }
    return shown;
  }

  /** Of the last time that the bucket could be read: the metrics matter most when something is away. */
  let ages: readonly ToolAge[] = [];
  async function readAges(): Promise<readonly ToolAge[]> {
    try {
      ages = await readToolAges(services);
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'BUCKET_BEHIND') throw error;
    }
    return ages;
  }

  const sources = {
    catalogTotals: shareFor(totalsKeptMs, () => catalog.totals()),
    payloadBytes: shareFor(totalsKeptMs, () => payloads.totalBytes()),
    toolAges: shareFor(agesKeptMs, readAges),
    installation: shareFor(agesKeptMs, () => readInstallation(services)),
  };
  return async (req, res) => {
    const text = await metrics.print({ ...sources, openRollouts: () => openRollouts(req) });
    res.set({ 'Cache-Control': 'no-store', 'Content-Type': metricsType }).send(text);
  };
}

import { collectDefaultMetrics, Registry } from 'prom-client';

const ofProcess = new Registry();

/**
 * Adds the metrics of the Node process. They are measured once, however many servers a process has: what watches the event loop and the
 * garbage collector never ends.
 */
export function addProcessMetrics(registry: Registry): void {
  if (ofProcess.getMetricsAsArray().length === 0) collectDefaultMetrics({ register: ofProcess });
  for (const { name } of ofProcess.getMetricsAsArray()) {
    const metric = ofProcess.getSingleMetric(name);
    if (metric !== undefined) registry.registerMetric(metric);
  }
}

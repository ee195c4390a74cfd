import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { productDir } from '../../kit/test-server.ts';

/** The folder as the templates have it. */
export const shippedDir = join(productDir, 'devbox', 'templates', 'observability');

export function readShipped(name: string): Promise<string> {
  return readFile(join(shippedDir, name), 'utf8');
}

const DataSource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('prometheus') });
const Target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource: DataSource,
  expr: z.string().min(1),
  legendFormat: z.string(),
});
const Step = z.strictObject({ color: z.string(), value: z.number().nullable() });
const Panel = z.strictObject({
  id: z.number(),
  type: z.enum(['timeseries', 'stat']),
  title: z.string().min(1),
  description: z.string().optional(),
  datasource: DataSource,
  gridPos: z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.enum(['reqps', 'percentunit', 's', 'bytes', 'short', 'string']),
      thresholds: z.strictObject({ mode: z.literal('absolute'), steps: z.array(Step) }).optional(),
    }),
    overrides: z.tuple([]),
  }),
  targets: z.array(Target).min(1),
});
const Variable = z.strictObject({
  name: z.string(),
  label: z.string(),
  type: z.literal('query'),
  datasource: DataSource,
  query: z.strictObject({ query: z.string(), refId: z.string() }),
  definition: z.string(),
  refresh: z.literal(2),
  includeAll: z.literal(true),
  multi: z.literal(true),
  current: z.strictObject({ text: z.array(z.string()), value: z.array(z.string()) }),
});

/** A dashboard, as far as this product uses Grafana's model: no other field gets in unseen. */
export const Dashboard = z.strictObject({
  uid: z.string().max(40),
  title: z.string().min(1),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  editable: z.boolean(),
  refresh: z.string(),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  annotations: z.strictObject({ list: z.tuple([]) }),
  templating: z.strictObject({ list: z.array(Variable) }),
  panels: z.array(Panel).min(1),
});

/** Every expression of the dashboard as Prometheus gets it, with what Grafana puts in. */
export async function dashboardExpressions(): Promise<readonly string[]> {
  const { panels } = Dashboard.parse(JSON.parse(await readShipped('grafana/dashboards/service.json')));
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$service', '.*')),
  );
}

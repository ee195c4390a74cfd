import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { productDir } from '../../kit/test-server.ts';

export const shippedDir = join(productDir, 'docs', 'operate', 'observability');

export const readShipped = (name: string): Promise<string> => readFile(join(shippedDir, name), 'utf8');

const Texts = z.record(z.string(), z.string());
const Rule = z.strictObject({
  alert: z.string().optional(),
  record: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  labels: Texts.optional(),
  annotations: Texts.optional(),
});
export type Rule = z.infer<typeof Rule>;
const Rules = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule) })),
});
const Tests = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
});
const Panel = z.looseObject({
  id: z.number(),
  title: z.string().min(1),
  gridPos: z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.looseObject({ expr: z.string().min(1) })).min(1),
});
const Dashboard = z.looseObject({
  uid: z.string().max(40),
  templating: z.object({
    list: z.array(z.looseObject({ name: z.string(), definition: z.string().optional() })),
  }),
  panels: z.array(Panel).min(1),
});
export type Dashboard = z.infer<typeof Dashboard>;

const filesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(join(shippedDir, folder))).sort().map((name) => `${folder}/${name}`);

export const ruleFiles = () => filesIn('rules');
export const testFiles = () => filesIn('tests');

export async function readRules(): Promise<readonly Rule[]> {
  const texts = await Promise.all((await ruleFiles()).map(readShipped));
  return texts.flatMap((text) => Rules.parse(parse(text)).groups.flatMap(({ rules }) => rules));
}

export async function readRuleTests() {
  const texts = await Promise.all((await testFiles()).map(readShipped));
  return texts.flatMap((text) => Tests.parse(parse(text)).tests.flatMap((test) => test.alert_rule_test));
}

export async function readDashboards(): Promise<readonly Dashboard[]> {
  const texts = await Promise.all((await filesIn('grafana')).map(readShipped));
  return texts.map((text) => Dashboard.parse(JSON.parse(text)));
}

/** Every expression as Prometheus gets it, with what Grafana puts in. */
export function expressionsOf({ panels }: Dashboard): readonly string[] {
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(instance|tool)\b/g, '.*'),
    ),
  );
}

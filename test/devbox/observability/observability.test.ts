import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { expectSideBySide } from '../../kit/panels.ts';
import { hasProgram, run } from '../../kit/programs.ts';
import { metricsIn } from '../../kit/promql.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';
import { Dashboard, dashboardExpressions, readShipped, shippedDir } from './shipped.ts';

const ofDocs = (name: string) => readFile(join(productDir, 'docs', 'operate', 'observability', name), 'utf8');

describe('observability/, as devbox:create writes it', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
    await cp(shippedDir, dir, { recursive: true });
    const file = join(dir, 'alertmanager.yml');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('{{feed}}', 'https://feed.example'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const checks = [
    { program: 'promtool', args: ['check', 'config', 'prometheus.yml'] },
    { program: 'promtool', args: ['check', 'rules', 'rules/service.yml'] },
    { program: 'promtool', args: ['test', 'rules', 'rules.test.yml'] },
    { program: 'amtool', args: ['check-config', 'alertmanager.yml'] },
  ] as const;
  for (const { program, args } of checks) {
    it.skipIf(!hasProgram(program))(`passes ${program} ${args.join(' ')} (needs ${program})`, async () => {
      const { code, stdout, stderr } = await run(program, args, { cwd: dir });

      expect(code, stdout + stderr).toBe(0);
    });
  }

  it.skipIf(!hasProgram('amtool')).each([
    { labels: ['alertname=Watchdog', 'severity=none'], receivers: 'feed' },
    { labels: ['alertname=ErrorRatioHigh', 'severity=page', 'service=service'], receivers: 'feed,people' },
    { labels: ['alertname=ServiceDown', 'severity=page', 'service=service'], receivers: 'feed,people' },
    { labels: ['alertname=CertificateExpires', 'severity=ticket'], receivers: 'people' },
  ])('sends $labels to $receivers (needs amtool)', async ({ labels, receivers }) => {
    const args = ['config', 'routes', 'test', '--config.file=alertmanager.yml', ...labels];
    const { code, stdout, stderr } = await run('amtool', args, { cwd: dir });

    expect([code, stdout.trim()], stderr).toEqual([0, receivers]);
  });
});

const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.looseObject({
          alert: z.string().optional(),
          record: z.string().optional(),
          expr: z.string(),
          labels: z.record(z.string(), z.string()).optional(),
          annotations: z.record(z.string(), z.string()).optional(),
        }),
      ),
    }),
  ),
});
type Route = { readonly receiver: string; readonly matchers: readonly [string] };
const rulesIn = (text: string) => Rules.parse(parse(text)).groups.flatMap(({ rules }) => rules);

describe('the rules and routes of observability/', () => {
  it('are those of the docs, where both have one', async () => {
    const [docs, shipped] = [
      rulesIn(await ofDocs('rules/rollouts.yml')),
      rulesIn(await readShipped('rules/service.yml')),
    ];

    for (const name of ['ErrorRatioHigh', 'Watchdog', 'service:http_errors:ratio_rate5m']) {
      const find = (rules: typeof docs) => rules.find((rule) => (rule.alert ?? rule.record) === name);
      const { annotations, ...rule } = find(docs) ?? {};
      // The pages of the feed are not in that repository.
      const { runbook: _, ...others } = annotations ?? {};
      const expected = Object.keys(others).length === 0 ? rule : { ...rule, annotations: others };
      expect(find(shipped), name).toBeDefined();
      expect(find(shipped)).toEqual(expected);
    }
    const routes = (text: string) => {
      const { route, receivers } = parse(text);
      const isToFeed = ({ receiver, matchers: [matcher] }: Route) =>
        receiver === 'feed' && !matcher.includes('DoctorTest');
      return [route.routes.filter(isToFeed), receivers.find(({ name }: { name: string }) => name === 'feed')];
    };
    const expected = (await ofDocs('alertmanager.yml'))
      .replace('https://feed.corp/api/v1/alerts', '"{{feed}}/api/v1/alerts"')
      .replace('/etc/alertmanager/go-win-tools.key', '/run/secrets/feed-key');
    expect(routes(await readShipped('alertmanager.yml'))).toEqual(routes(expected));
  });

  it('are tested: every alert fires in a test of promtool', async () => {
    const tests = await readShipped('rules.test.yml');

    for (const { alert } of rulesIn(await readShipped('rules/service.yml'))) {
      if (alert !== undefined)
        expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\s+(\\[\\{|- exp_labels)`));
    }
  });
});

describe('the dashboard', () => {
  it('has panels that do not overlap', async () => {
    const { panels } = Dashboard.parse(JSON.parse(await readShipped('grafana/dashboards/service.json')));
    expectSideBySide(panels);
  });

  it.skipIf(!hasProgram('grafana-check'))(
    'is what the schema of Grafana has, and nothing else (needs grafana-check)',
    async () => {
      const { code, stderr } = await run('grafana-check', ['service.json'], {
        cwd: join(shippedDir, 'grafana', 'dashboards'),
      });

      expect(code, stderr).toBe(0);
    },
  );

  it('asks the source of data that is provisioned', async () => {
    const { datasources } = parse(await readShipped('grafana/provisioning/datasources/prometheus.yml'));

    expect(datasources).toMatchObject([
      { uid: 'prometheus', type: 'prometheus', url: 'http://prometheus:9090' },
    ]);
  });

  it('names metrics of the probe that its page documents', async () => {
    const page = await readFile(join(productDir, 'docs/devbox/probe.md'), 'utf8');
    const names = (await dashboardExpressions()).flatMap(metricsIn);

    expect(names.length).toBeGreaterThan(10);
    for (const name of names.filter((one) => one.startsWith('go_win_probe_'))) expect(page).toContain(name);
  });
});

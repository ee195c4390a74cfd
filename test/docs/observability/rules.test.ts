import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram, run } from '../../kit/programs.ts';
import { makeTempDir } from '../../kit/test-server.ts';
import { anchorsOf } from '../anchors.ts';
import { readRules, readRuleTests, readShipped, shippedDir, testFiles } from './shipped.ts';

describe('the files in docs/operate/observability', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await makeTempDir();
    await cp(shippedDir, dir, { recursive: true });
    // promtool looks whether they are there.
    for (const name of ['feed-ca.pem', 'go-win-tools.key']) await writeFile(join(dir, name), '');
    for (const name of (await readdir(dir)).filter((file) => /^prometheus.*\.yml$/.test(file))) {
      const text = await readFile(join(dir, name), 'utf8');
      await writeFile(join(dir, name), text.replaceAll('/etc/prometheus/', `${dir}/`));
    }
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it
    .skipIf(!hasProgram('promtool'))
    .each([
      'check config prometheus.yml',
      'check config prometheus-replicas.yml',
      'check rules rules/installation.yml rules/rollouts.yml rules/slo.yml',
    ])('pass promtool %s (needs promtool)', async (args) => {
    const { code, stdout, stderr } = await run('promtool', args.split(' '), { cwd: dir });

    expect(code, stdout + stderr).toBe(0);
  });

  it.skipIf(!hasProgram('promtool'))('do what their tests say (needs promtool)', async () => {
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', ...(await testFiles())], {
      cwd: dir,
    });

    expect(code, stdout + stderr).toBe(0);
  });

  it.skipIf(!hasProgram('amtool'))('pass amtool check-config (needs amtool)', async () => {
    const { code, stdout, stderr } = await run('amtool', ['check-config', 'alertmanager.yml'], { cwd: dir });

    expect(code, stdout + stderr).toBe(0);
  });

  it.skipIf(!hasProgram('amtool')).each([
    ['alertname=DoctorTest severity=none doctor=1', 'feed'],
    ['alertname=Watchdog severity=none', 'feed'],
    ['alertname=ErrorRatioHigh severity=page service=checkout', 'feed,pages'],
    ['alertname=ServerDown severity=page instance=a', 'feed,pages'],
    ['alertname=RolloutHalted severity=ticket tool=delve', 'tickets'],
    ['alertname=BackupOld severity=ticket', 'tickets'],
  ])('send %s to %s (needs amtool)', async (labels, receivers) => {
    const args = ['config', 'routes', 'test', '--config.file=alertmanager.yml', ...labels.split(' ')];
    const { code, stdout, stderr } = await run('amtool', args, { cwd: dir });

    expect([code, stdout.trim()], stderr).toEqual([0, receivers]);
  });
});

describe('each alert', () => {
  it('fires in a test, and does not in another', async () => {
    const tests = await readRuleTests();

    for (const { alert } of await readRules()) {
      if (alert === undefined) continue;
      const cases = tests.filter(({ alertname }) => alertname === alert);
      expect(
        cases.some(({ exp_alerts: alerts }) => alerts.length > 0),
        `${alert} fires`,
      ).toBe(true);
      const isQuiet = cases.some(({ exp_alerts: alerts }) => alerts.length === 0);
      expect(isQuiet, `${alert} does not fire`).toBe(alert !== 'Watchdog');
    }
  });

  it('says who gets it, and leads to what to do, which has a section for each and for nothing else', async () => {
    const page = await readShipped('README.md');
    const alerts = (await readRules()).filter(({ alert }) => alert !== undefined);
    const sections = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);

    for (const { alert = '', labels = {}, annotations = {} } of alerts) {
      expect(['page', 'ticket', 'none'], alert).toContain(labels.severity);
      expect(annotations.runbook).toBe(`docs/operate/observability/README.md#${alert.toLowerCase()}`);
      expect(anchorsOf(page)).toContain(alert.toLowerCase());
      if (labels.severity !== 'none') expect(annotations.summary, alert).toMatch(/\w+ \w+/);
    }
    expect(sections.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  it('is in the table with its metrics, the time that it waits and its severity', async () => {
    const page = await readShipped('README.md');
    const rows = [...page.matchAll(/^\| \[(\w+)\]\(#\w+\) \| (.*) \|$/gm)].map(([, alert, cells = '']) => {
      const [metrics = '', , wait, severity] = cells.split('|').map((cell) => cell.trim());
      return { alert, metrics, wait, severity };
    });
    const alerts = (await readRules()).filter(({ alert }) => alert !== undefined);

    const shown = rows.map(({ alert, wait, severity }) => [alert, wait, severity]);
    expect(shown.toSorted()).toEqual(
      alerts.map((rule) => [rule.alert, rule.for ?? '', rule.labels?.severity]).toSorted(),
    );
    for (const { alert, metrics } of rows) {
      const expr = alerts.find((rule) => rule.alert === alert)?.expr;
      for (const [, metric = ''] of metrics.matchAll(/`([\w:]+)`/g)) {
        if (metric !== 'http_requests_total') expect(expr, alert).toContain(metric);
      }
    }
  });
});

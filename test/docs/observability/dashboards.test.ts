import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectSideBySide } from '../../kit/panels.ts';
import { hasProgram, run } from '../../kit/programs.ts';
import { groupedLabels, metricsIn, selectedLabels } from '../../kit/promql.ts';
import { readDashboards, shippedDir } from './shipped.ts';

describe('the dashboards', () => {
  it.skipIf(!hasProgram('grafana-check'))(
    'are what the schema of Grafana has, and nothing else (needs grafana-check)',
    async () => {
      const folder = join(shippedDir, 'grafana');
      const { code, stderr } = await run('grafana-check', await readdir(folder), { cwd: folder });

      expect(code, stderr).toBe(0);
    },
  );

  it('have panels that do not overlap, each with a number of its own', async () => {
    const dashboards = await readDashboards();
    expect(dashboards.map(({ uid }) => uid)).toEqual(['go-win-tools-operations', 'go-win-tools-releases']);

    for (const { panels } of dashboards) expectSideBySide(panels);
  });
});

describe('what an expression names', () => {
  it.each([
    [
      'sum by (service, code) (rate(http_requests_total{code=~"5.."}[5m])) / on (a) up',
      ['http_requests_total', 'up'],
      [['http_requests_total', 'code']],
      ['service', 'code', 'a'],
    ],
    [
      'service:errors:ratio > 0.005 and sum(x{a="y{z", b!~"c"}) > 1',
      ['service:errors:ratio', 'x'],
      [
        ['x', 'a'],
        ['x', 'b'],
      ],
      [],
    ],
    ['count(up == bool 1) by (job)', ['up'], [], ['job']],
  ] as const)('%s', (expression, metrics, selected, grouped) => {
    expect(metricsIn(expression)).toEqual(metrics);
    expect(selectedLabels(expression)).toEqual(selected);
    expect(groupedLabels(expression)).toEqual(grouped);
  });
});

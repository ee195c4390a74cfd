import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../server/metrics.ts';
import { productDir } from '../kit/test-server.ts';

/** Of a server that has everything there is to have. */
async function printAll(): Promise<string> {
  const replica = () => ({ revision: 1, unconfirmedMs: 1 });
  const metrics = createMetrics(replica, () => ({ exported: 1 }));
  metrics.observeRequest('feed', 'GET', 200, 1);
  metrics.countPush('package', 'published', 1);
  metrics.countDownload('buf');
  metrics.countRefusal('KEY_INVALID');
  const rollout = { id: 1, tool: 'buf', version: '1.0.0', state: 'rolling', step: 1 };
  const clients = { known: 1, eligible: 1, admitted: 1, received: 1 };
  return metrics.print({
    catalogTotals: async () => ({ ids: 1, versions: 1, bytes: 1 }),
    payloadBytes: async () => 1,
    toolAges: async () => [{ tool: 'buf', channel: 'main', days: 1 }],
    openRollouts: async () => [{ ...rollout, waitsFor: 'hold', waitingSeconds: 0, clients }],
    installation: async () => ({
      version: '1.0.0',
      schemaVersion: 1,
      certificateExpiry: new Date(),
      disk: { freeBytes: 1, totalBytes: 1 },
      lastBackup: { at: new Date(), sizeBytes: 1 },
      auditEntries: 1,
      cache: { usedBytes: 1, limitBytes: 1 },
      collector: { done: 1, failed: 1, removed: 1 },
    }),
  });
}

describe('the table of metrics in docs/operate/watching.md', () => {
  it('has every metric with its labels, and no other', async () => {
    const page = await readFile(join(productDir, 'docs/operate/watching.md'), 'utf8');
    const namesIn = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '');
    const explained = page
      .split('\n')
      .filter((line) => line.startsWith('| `gwt_'))
      .flatMap((line) => {
        const [, names = '', labels = ''] = line.split('|');
        return namesIn(names).map((name) => [name, namesIn(labels)] as const);
      });

    const text = await printAll();
    const found = [...text.matchAll(/^# TYPE (gwt_\w+) /gm)].map(([, name = '']) => {
      const rows = text.match(new RegExp(`^${name}(_bucket|_sum|_count)?(\\{.*)? `, 'gm')) ?? [];
      const labels = rows.flatMap((row) => [...row.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
      return [name, [...new Set(labels)].filter((label) => label !== 'le')] as const;
    });

    expect(Object.fromEntries(explained)).toEqual(Object.fromEntries(found));
    expect(explained.length).toBe(found.length);
  });
});

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { type Cluster, canCluster, startCluster } from '../../kit/cluster.ts';
import { metricsPage } from '../../kit/metrics-page.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerbWith } from '../../kit/operator-fixture.ts';
import { makePrivateAuthority } from '../../kit/private-authority.ts';
import { hasProgram } from '../../kit/programs.ts';
import { groupedLabels, metricsIn, selectedLabels } from '../../kit/promql.ts';
import { openBucketWork } from '../../kit/stocked-feed.ts';
import { makeKey, makeTempDir, pushNupkg, startTestServer } from '../../kit/test-server.ts';
import { heldUploads } from '../../server/api/held-uploads.ts';
import { expressionsOf, readDashboards, readRules } from './shipped.ts';

/** What Prometheus adds to everything that it scrapes. */
const ofPrometheus = ['job', 'instance'];
/** What README.md says is not of the feed, with its labels. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  up: [],
  ALERTS: ['alertname', 'alertstate'],
  http_requests_total: ['service', 'code'],
};

describe.skipIf(!canCluster || !hasProgram('openssl'))(
  'the metrics of rules and dashboards (needs PostgreSQL and versitygw and openssl)',
  () => {
    let cluster: Cluster;
    let dir: string;
    /** The labels of each metric that a replica, or a server with TLS, has. */
    let known: Map<string, Set<string>>;

    beforeAll(async () => {
      dir = await makeTempDir();
      cluster = await startCluster(1, { READ_AUTH: 'feed' });
      known = new Map(Object.entries(elsewhere).map(([name, labels]) => [name, new Set(labels)]));
      await learnFromReplica();
      await learnFromTls();
      // What rules record from them.
      for (const { record, expr, labels = {} } of await readRules())
        if (record !== undefined)
          known.set(
            record,
            new Set([...(known.get(record) ?? []), ...groupedLabels(expr), ...Object.keys(labels)]),
          );
    });
    afterAll(async () => {
      await cluster.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    function learn(page: string): void {
      for (const [, name = '', labels = ''] of page.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
        const of = known.get(name) ?? new Set();
        for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) of.add(label);
        known.set(name, of);
      }
    }

    async function learnFromReplica(): Promise<void> {
      const [replica] = cluster.replicas;
      if (replica === undefined) throw new Error('there is one');
      await pushNupkg(replica, makeNupkg({ id: 'Sample' }), 'wrong');
      await pushNupkg(replica, makeNupkg({ id: 'Sample' }), replica.adminKey);
      const headers = { 'X-NuGet-ApiKey': replica.adminKey };
      await (await fetch(`${replica.url}/nuget/package/Sample/1.0.0`, { headers })).arrayBuffer();
      const bucket = await openBucketWork(replica, dir, 'work');
      await bucket.release('buf', '1.32.0');
      const key = await makeKey(replica, ['push', 'rollout', 'read']);
      const delve = heldUploads(replica, key);
      await delve.whole('1.22.0');
      await delve.correction('1.22.0.1', '1.22.0', '1.22.0');
      const plan = { steps: [{ percent: 10, hold: '1h' }] };
      const started = await delve.call('POST', '/rollouts', key, { tool: 'delve', version: '1.22.0', plan });
      expect(started[0], JSON.stringify(started)).toBe(201);
      const backup = await runVerbWith(cluster.settings, createBackup, replica.dataDir, `${dir}/feed.tar`);
      expect(backup).toMatchObject({ code: 0 });
      // Without a key the number of a rollout stands for its version.
      learn(await metricsPage(replica.url));
      learn(await metricsPage(replica.url, key));
    }

    async function learnFromTls(): Promise<void> {
      const { certFile, keyFile } = await makePrivateAuthority(dir);
      const server = await startTestServer({ tls: { certFile, keyFile } });
      try {
        learn(await metricsPage(server.url));
      } finally {
        await server.stop();
      }
    }

    async function allExpressions(): Promise<readonly string[]> {
      const dashboards = await readDashboards();
      const variables = dashboards.flatMap(({ templating }) =>
        templating.list.flatMap(({ definition = '' }) => {
          const [, metric = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
          return definition === '' ? [] : [`count by (${label}) (${metric})`];
        }),
      );
      const rules = (await readRules()).map(({ expr }) => expr);
      return [...rules, ...variables, ...dashboards.flatMap(expressionsOf)];
    }

    it('are those of real servers, or documented as coming from elsewhere', async () => {
      const named = new Set((await allExpressions()).flatMap(metricsIn));

      expect(named.size).toBeGreaterThan(35);
      expect([...named].filter((name) => !known.has(name))).toEqual([]);
    });

    it('have every label that they are selected or grouped by', async () => {
      for (const expression of await allExpressions()) {
        for (const [metric, label] of selectedLabels(expression))
          expect([...ofPrometheus, ...(known.get(metric) ?? [])], `${metric} in ${expression}`).toContain(
            label,
          );
        const all = metricsIn(expression).flatMap((metric) => [...(known.get(metric) ?? [])]);
        expect([...ofPrometheus, ...all], expression).toEqual(
          expect.arrayContaining([...groupedLabels(expression)]),
        );
      }
    });
  },
);

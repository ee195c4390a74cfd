import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { alertingPrograms, hasAlerting } from '../../kit/alerting.ts';
import { editFile } from '../../kit/edit-file.ts';
import { freePort } from '../../kit/free-port.ts';
import { makePrivateAuthority } from '../../kit/private-authority.ts';
import { hasProgram } from '../../kit/programs.ts';
import { makeTempDir, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { whenEnded } from '../../kit/when-ended.ts';
import { expressionsOf, readDashboards, readRules, shippedDir } from './shipped.ts';

/** However busy the machine is: what is polled only has to happen. */
const patient = { timeout: 120_000, interval: 200 };

describe.skipIf(!hasAlerting || !hasProgram('openssl'))(
  'the files in docs/operate/observability, started (needs prometheus and alertmanager and openssl)',
  () => {
    const started: { readonly child: ChildProcess; readonly ended: Promise<unknown> }[] = [];
    let dir: string;
    let server: TestServer;
    let api: string;

    beforeAll(async () => {
      dir = await makeTempDir();
      const folder = join(dir, 'observability');
      await cp(shippedDir, folder, { recursive: true });
      await mkdir(join(dir, 'tls'));
      // It expires tomorrow or the day after: a page.
      const { caFile, certFile, keyFile } = await makePrivateAuthority(join(dir, 'tls'));
      server = await startTestServer({ tls: { certFile, keyFile }, readAuth: 'all' });
      const ports = { web: await freePort(), alerts: await freePort() };
      const keyFor = async (scope: 'alert' | 'read'): Promise<string> => {
        const { key } = await server.services.keys.create(
          { name: scope, scopes: [scope], ids: [] },
          operator,
        );
        await writeFile(join(dir, scope), key, { mode: 0o600 });
        return join(dir, scope);
      };
      await editFile(join(folder, 'prometheus.yml'), {
        '15s': '1s',
        'feed.corp:8443': new URL(server.url).host,
        '/etc/prometheus/feed-ca.pem': caFile,
        '/etc/prometheus/go-win-tools.key': await keyFor('read'),
        'localhost:9093': `127.0.0.1:${ports.alerts}`,
      });
      // The time of the rule, so that the test does not take it.
      await editFile(join(folder, 'rules', 'installation.yml'), { 'for: 5m': 'for: 1s' });
      await editFile(join(folder, 'alertmanager.yml'), {
        'https://feed.corp': server.url,
        '/etc/alertmanager/go-win-tools.key': await keyFor('alert'),
        'http_config:': `http_config:\n          tls_config: { ca_file: ${caFile} }`,
      });
      for (const [program, args] of alertingPrograms(folder, dir, ports)) start(program, args);
      api = `http://127.0.0.1:${ports.web}/api/v1`;
    });

    afterAll(async () => {
      for (const { child, ended } of started) {
        child.kill('SIGKILL');
        await ended;
      }
      await server?.stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    });

    function start(program: string, args: readonly string[]): void {
      const child = spawn(program, args, { stdio: 'ignore' });
      started.push({ child, ended: whenEnded(child) });
    }

    async function ask<T>(
      path: string,
    ): Promise<{ readonly status: string; readonly data: T; error?: string }> {
      return (await fetch(`${api}/${path}`)).json() as never;
    }

    it('scrape the server with its key over TLS, and evaluate every rule', async () => {
      const rules = await readRules();
      await vi.waitFor(async () => {
        const up = await ask<{ result: { value: [number, string] }[] }>(
          `query?query=${encodeURIComponent('up{job="go-win-tools"}')}`,
        );
        expect(up.data.result.map(({ value }) => value[1])).toEqual(['1']);
        const { data } = await ask<{ groups: { rules: { health: string }[] }[] }>('rules');
        const health = data.groups.flatMap((group) => group.rules.map((rule) => rule.health));
        expect(health).toEqual(rules.map(() => 'ok'));
      }, patient);
    });

    it('have no expression in a dashboard that Prometheus refuses', async () => {
      for (const expression of (await readDashboards()).flatMap(expressionsOf)) {
        const { status, error } = await ask(`query?query=${encodeURIComponent(expression)}`);
        expect(status, `${expression}: ${error}`).toBe('success');
      }
    });

    it('send a page about the certificate, and the heartbeat, to the feed, which keeps them', async () => {
      await expect.poll(firing, patient).toContain('CertificateExpiresSoon');
      await expect.poll(heartbeats, patient).toBe(1);
      expect(server.logged()).toMatch(/"url":"\/api\/v1\/alerts"[^\n]*"status":200/);
      expect(server.logged()).not.toMatch(/"url":"\/api\/v1\/alerts"[^\n]*"status":[45]/);
      // Tickets are for people alone.
      expect(firing()).not.toContain('BackupMissing');
      expect(firing()).not.toContain('CertificateExpires');
    });

    function firing(): readonly string[] {
      const labels = read<{ labels: string }>('SELECT labels FROM firing_alerts');
      return labels.map((row) => JSON.parse(row.labels).alertname);
    }

    const heartbeats = (): number => read('SELECT * FROM heartbeats').length;

    function read<Row>(sql: string): Row[] {
      const db = new Database(join(server.dataDir, 'catalog.db'), { readonly: true });
      try {
        return db.prepare(sql).all() as Row[];
      } finally {
        db.close();
      }
    }
  },
);

import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { dashboardExpressions, readShipped, shippedDir } from '../devbox/observability/shipped.ts';
import { alertingPrograms } from '../kit/alerting.ts';
import { editFile } from '../kit/edit-file.ts';
import { freePort } from '../kit/free-port.ts';
import { goBuildsDir } from '../kit/go-builds.ts';
import { makePrivateAuthority } from '../kit/private-authority.ts';
import { hasProgram, mustRun } from '../kit/programs.ts';
import { metricsIn } from '../kit/promql.ts';
import { makeKey, makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { whenEnded } from '../kit/when-ended.ts';

const needed = ['go', 'openssl', 'prometheus', 'prometheus-alertmanager'];
const minutes = 60_000;
/** As the Dockerfile builds the service, so that what one of them compiled is there for the other. */
const goEnv = {
  GOCACHE: goBuildsDir,
  GOWORK: 'off',
  GOFLAGS: '-mod=readonly -trimpath',
  CGO_ENABLED: '0',
};
/** However busy the machine is: what is polled only has to happen. */
const patient = { timeout: 4 * minutes, interval: 500 };

describe.skipIf(!needed.every(hasProgram))(`observability/, started (needs ${needed.join(', ')})`, () => {
  const started: { readonly child: ChildProcess; readonly ended: Promise<unknown> }[] = [];
  let dir: string;
  let server: TestServer;
  let prometheus: string;
  let rules: readonly { readonly expr: string; readonly record?: string }[];

  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startTestServer({ accessLog: 'all' });
    const [app, probe] = [await build('devbox/templates/service'), await build('probe')];
    const ports = {
      app: await freePort(),
      probe: await freePort(),
      web: await freePort(),
      alerts: await freePort(),
    };
    await mkdir(join(dir, 'tls'));
    const { caFile } = await makePrivateAuthority(join(dir, 'tls'));
    start(app, [], { LISTEN: `127.0.0.1:${ports.app}` });
    start(probe, ['-listen', `127.0.0.1:${ports.probe}`], { SSL_CERT_FILE: caFile });

    const folder = join(dir, 'observability');
    await cp(shippedDir, folder, { recursive: true });
    await editFile(join(folder, 'prometheus.yml'), {
      '15s': '1s',
      'app:8080': `127.0.0.1:${ports.app}`,
      'probe:9464': `127.0.0.1:${ports.probe}`,
      'alertmanager:9093': `127.0.0.1:${ports.alerts}`,
      'localhost:9090': `127.0.0.1:${ports.web}`,
    });
    const key = join(dir, 'feed-key');
    await writeFile(key, await makeKey(server, ['alert']), { mode: 0o600 });
    await editFile(join(folder, 'alertmanager.yml'), {
      'group_interval: 1m': 'group_interval: 1s',
      '{{feed}}': server.url,
      '/run/secrets/feed-key': key,
    });
    for (const [program, args] of alertingPrograms(folder, dir, ports)) start(program, args);
    prometheus = `http://127.0.0.1:${ports.web}/api/v1`;
    const service = `http://127.0.0.1:${ports.app}`;
    // A request to count.
    await vi.waitFor(() => fetch(service), patient);
    rules = parse(await readShipped('rules/service.yml')).groups.flatMap(
      (group: { rules: object[] }) => group.rules,
    );
  }, 20 * minutes);

  afterAll(async () => {
    for (const { child, ended } of started) {
      child.kill('SIGKILL');
      await ended;
    }
    await server?.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  async function build(source: string): Promise<string> {
    const program = join(dir, source.replaceAll('/', '-'));
    const cwd = join(productDir, source);
    await mustRun('go', ['build', '-ldflags', '-s -w', '-o', program, '.'], { cwd, env: goEnv });
    return program;
  }

  function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });
    started.push({ child, ended: whenEnded(child) });
  }

  async function ask(path: string) {
    const answer = await fetch(`${prometheus}/${path}`);
    return (await answer.json()) as {
      readonly status: string;
      readonly data: unknown;
      readonly error?: string;
    };
  }
  const askNames = async () =>
    ((await ask('label/__name__/values').catch(() => ({ data: [] }))).data ?? []) as readonly string[];

  it('has a service whose own tests pass', async () => {
    const cwd = join(productDir, 'devbox/templates/service');
    await mustRun('go', ['test', './...'], { cwd, env: goEnv });
  });

  it('has every metric that dashboard and rules name, from the programs themselves', async () => {
    const expressions = [...(await dashboardExpressions()), ...rules.map(({ expr }) => expr)];
    const recorded = rules.flatMap(({ record }) => record ?? []);
    const named = [...new Set(expressions.flatMap(metricsIn))].filter((name) => !recorded.includes(name));
    expect(named.length).toBeGreaterThan(12);
    // Where this machine sets no limit, and has no cgroups, the probe leaves these out; then its source names them.
    const source = await readFile(join(productDir, 'probe', 'container.go'), 'utf8');
    const isOptional = (name: string) =>
      name.startsWith('go_win_probe_container_') && source.includes(`"${name}"`);
    const always = named.filter((name) => !isOptional(name));
    expect(always).toEqual(
      expect.arrayContaining(['http_requests_total', 'go_win_probe_cert_expiry_seconds', 'up', 'ALERTS']),
    );

    await expect
      .poll(async () => {
        const names = await askNames();
        return always.filter((name) => !names.includes(name));
      }, patient)
      .toEqual([]);
  });

  it('has no expression that Prometheus refuses', async () => {
    await expect.poll(async () => (await askNames()).length, patient).toBeGreaterThan(0);
    for (const expression of await dashboardExpressions()) {
      const { status, error } = await ask(`query?query=${encodeURIComponent(expression)}`);
      expect(status, `${expression}: ${error}`).toBe('success');
    }
    await expect
      .poll(async () => {
        const { groups } = (await ask('rules')).data as { groups: { rules: { health: string }[] }[] };
        return groups.flatMap((group) => group.rules.map(({ health }) => health));
      }, patient)
      .toEqual(rules.map(() => 'ok'));
  });

  it('sends the heartbeat to the feed, which takes it', async () => {
    await expect.poll(() => server.logged(), patient).toMatch(/"url":"\/api\/v1\/alerts"[^\n]*"status":200/);
  });
});

import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { hasProgram } from './programs.ts';
import { productDir } from './test-server.ts';
import { whenEnded } from './when-ended.ts';

/** Prometheus and Alertmanager themselves, as Debian has them. */
export const hasAlerting = hasProgram('prometheus') && hasProgram('prometheus-alertmanager');

export type Alerting = { stop(): Promise<void> };

export type AlertingOptions = {
  /** For data and configuration of both. */
  readonly dir: string;
  /** `host:port` with /metrics of the service that is watched. */
  readonly service: string;
  readonly serviceName: string;
  /** Where the server of the feed is, and a key with the scope `alert`. */
  readonly feedUrl: string;
  readonly key: string;
};

/** The minutes of the rule, so that a test does not take them. */
const shorter = '4s';

/**
 * Both programs with the files in docs/operate/observability. They are changed in what is everybody's own: the feed's address, the file of the
 * key, and the times of the rule.
 */
export async function startAlerting(options: AlertingOptions): Promise<Alerting> {
  const { dir, service, serviceName, feedUrl, key } = options;
  await mkdir(dir, { recursive: true });
  const shipped = (name: string): Promise<string> =>
    readFile(join(productDir, 'docs', 'operate', 'observability', name), 'utf8');
  await writeFile(
    join(dir, 'rules.yml'),
    (await shipped('rules/rollouts.yml')).replaceAll(/\b5m\b/g, shorter),
  );
  await writeFile(join(dir, 'feed.key'), key, { mode: 0o600 });
  await writeFile(
    join(dir, 'alertmanager.yml'),
    (await shipped('alertmanager.yml'))
      .replace('https://feed.corp', feedUrl)
      .replace('/etc/alertmanager/go-win-tools.key', join(dir, 'feed.key')),
  );
  const [web, watched] = [await freePort(), await freePort()];
  await writeFile(
    join(dir, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: [
        {
          job_name: 'service',
          static_configs: [{ targets: [service], labels: { service: serviceName } }],
        },
      ],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${web}`] }] }] },
    }),
  );
  const programs = alertingPrograms(dir, dir, { web: watched, alerts: web }).map(([program, args]) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    return { child, ended: whenEnded(child) };
  });
  return {
    async stop() {
      for (const { child, ended } of programs) {
        child.kill('SIGKILL');
        await ended;
      }
    },
  };
}

/**
 * Alertmanager and Prometheus, and how each is started.
 * @param folder with alertmanager.yml and prometheus.yml
 * @param dir for their data
 */
export function alertingPrograms(
  folder: string,
  dir: string,
  ports: { readonly web: number; readonly alerts: number },
): readonly (readonly [program: string, args: readonly string[]])[] {
  return [
    [
      'prometheus-alertmanager',
      [
        `--config.file=${join(folder, 'alertmanager.yml')}`,
        `--storage.path=${join(dir, 'alertmanager')}`,
        `--web.listen-address=127.0.0.1:${ports.alerts}`,
        '--cluster.listen-address=',
      ],
    ],
    [
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${ports.web}`,
        // What it sends before it has found Alertmanager is lost, and comes again only after a minute otherwise.
        '--rules.alert.resend-delay=1s',
      ],
    ],
  ];
}

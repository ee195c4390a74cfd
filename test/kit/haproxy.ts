import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeTempDir, productDir } from './test-server.ts';
import { whenEnded } from './when-ended.ts';

export const haproxyFile = join(productDir, 'deploy', 'haproxy.cfg');

/** Servers of a test share a busy process. */
const patientCheck = '1m';

/**
 * deploy/haproxy.cfg, but for the addresses: it listens on this port of this machine and balances between these servers.
 * @param check how long a check may take
 */
export async function haproxyConfig(
  port: number,
  servers: readonly string[],
  check = patientCheck,
): Promise<string> {
  const shipped = await readFile(haproxyFile, 'utf8');
  const named = servers.map((server, index) => `    server feed-${index + 1} ${new URL(server).host}\n`);
  return shipped
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace('timeout check 1s', `timeout check ${check}`)
    .replace('bind :8404', `bind abns@metrics-of-${port}`)
    .replaceAll(/(?: {4}server feed-\d.*\n)+/g, named.join(''));
}

export type Balancer = {
  readonly url: string;
  /** Whether HAProxy sends requests to the server of this number, counted from 0. */
  isUp(server: number): Promise<boolean>;
  stop(): Promise<void>;
};

/** HAProxy itself with deploy/haproxy.cfg, between clients and these servers, once it has found one of them. */
export async function startHaproxy(
  port: number,
  servers: readonly string[],
  check = patientCheck,
): Promise<Balancer> {
  const dir = await makeTempDir();
  const file = join(dir, 'haproxy.cfg');
  const socket = join(dir, 'stats');
  const config = await haproxyConfig(port, servers, check);
  await writeFile(file, config.replace('\nglobal\n', `\nglobal\n    stats socket ${socket}\n`));
  const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = whenEnded(haproxy);
  let said = '';
  haproxy.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
    if (haproxy.exitCode !== null) throw new Error(`haproxy ended with ${haproxy.exitCode}\n${said}`);
    await sleep(50);
  }
  return {
    url,
    async isUp(server) {
      const asked = connect(socket).end('show stat\n');
      // `replicas,feed-1,...`, with the state in the 18th column.
      const rows = (await text(asked)).split('\n').map((line) => line.split(','));
      const row = rows.find(([backend, name]) => backend === 'replicas' && name === `feed-${server + 1}`);
      return row?.[17]?.startsWith('UP') === true;
    },
    async stop() {
      haproxy.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

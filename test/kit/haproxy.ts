import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { productDir } from './test-server.ts';

export const haproxyFile = join(productDir, 'deploy', 'haproxy.cfg');

/**
 * deploy/haproxy.cfg, but for the addresses: it listens on this port of this machine and balances between these servers. A check may
 * take long, since servers of a test share a busy process.
 */
export async function haproxyConfig(port: number, servers: readonly string[]): Promise<string> {
  const text = await readFile(haproxyFile, 'utf8');
  const named = servers.map((server, index) => `    server feed-${index + 1} ${new URL(server).host}\n`);
  return text
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace('timeout check 1s', 'timeout check 1m')
    .replace('bind :8404', `bind abns@metrics-of-${port}`)
    .replaceAll(/(?: {4}server feed-\d.*\n)+/g, named.join(''));
}

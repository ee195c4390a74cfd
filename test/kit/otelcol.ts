import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compilerMemory } from '../../go-command/compiler-memory.ts';
import { goBuildsDir, quickFlags } from './go-builds.ts';
import { mustRun } from './programs.ts';
import { testCacheDir } from './test-cache.ts';
import { productDir } from './test-server.ts';
import { whenEnded } from './when-ended.ts';

/** The OpenTelemetry collector, built from its Go modules; its path. Kept for all runs of tests: go builds nothing where it is up to date. */
export async function buildCollector(): Promise<string> {
  const collector = join(testCacheDir, 'otelcol-0.165.0', 'otelcol');
  const cwd = join(productDir, 'test', 'slow', 'otelcol');
  const args = ['build', ...quickFlags, '-o', collector, '.'];
  const env = { GOCACHE: goBuildsDir, CGO_ENABLED: '0', GOWORK: 'off', ...compilerMemory() };
  await mustRun('go', args, { cwd, env });
  return collector;
}

/** The collector with a configuration, once it takes traces at `url`; the limit of the test ends the wait. */
export async function startCollector(
  collector: string,
  config: string,
  url: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ stop(): Promise<void> }> {
  const child = spawn(collector, ['--config', config], { env: { ...process.env, ...env }, stdio: 'ignore' });
  const ended = whenEnded(child);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const isThere = () =>
    fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    }).then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await isThere())) {
    if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}`);
    await delay(200);
  }
  return { stop };
}

export type TraceBackend = {
  readonly url: string;
  /** What arrived: where, and the bytes. */
  readonly received: { readonly path: string | undefined; readonly bytes: Buffer }[];
  stop(): void;
};

/** What a collector passes traces on to. */
export async function startTraceBackend(): Promise<TraceBackend> {
  const received: { readonly path: string | undefined; readonly bytes: Buffer }[] = [];
  const backend = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ path: request.url, bytes: Buffer.concat(parts) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const { port } = backend.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    stop() {
      backend.closeAllConnections();
      backend.close();
    },
  };
}

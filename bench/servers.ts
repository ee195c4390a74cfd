import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchPackage } from './packages.ts';

const productDir = join(import.meta.dirname, '..');
const adminKey = 'bench-key-that-opens-a-server-on-loopback-only';

export type Reference = { readonly url: string; stop(): Promise<void> };
export type Feed = Reference & {
  /** Pushes all of them over 8 connections; answers how many seconds that took. */
  publish(packages: readonly BenchPackage[]): Promise<number>;
  averageBytes(paths: readonly string[]): Promise<number>;
  residentBytes(): Promise<number | undefined>;
};

/** The feed as it is shipped: own process, logging and limits on. */
export async function startFeed(workDir: string): Promise<Feed> {
  const env = { ...process.env, PORT: '0', DATA_DIR: join(workDir, 'data'), ADMIN_API_KEY: adminKey };
  const { child, url, stop } = await startNode('main.ts', ['serve'], env);
  return {
    url,
    stop,
    publish: (packages) => publish(url, packages),
    async averageBytes(paths) {
      const sizes = await Promise.all(
        paths.map(async (path) => (await mustFetch(`${url}${path}`)).byteLength),
      );
      return Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length);
    },
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      const kilobytes = /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
    },
  };
}

export function startReference(kind: 'bare' | 'express'): Promise<Reference> {
  return startNode('bench/reference-server.ts', [kind], process.env);
}

export async function startPeer(packages: readonly BenchPackage[]): Promise<Reference> {
  const dir = join(packages[0]?.path ?? productDir, '..');
  return startNode('bench/peer-server.ts', [dir], process.env);
}

/** Starts a server of ours and waits for the address that it prints. */
async function startNode(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Reference & { readonly child: ChildProcess }> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(productDir, file), ...args], {
    cwd: productDir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    const listen = (text: string): void => {
      output = (output + text).slice(-10_000);
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (found !== undefined) {
        resolve(found);
      }
    };
    // Read to the end of its life: a full pipe would stop the server.
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}\n${output}`)));
  });
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
  };
  return { child, url, stop };
}

async function publish(url: string, packages: readonly BenchPackage[]): Promise<number> {
  const waiting = [...packages].reverse();
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const answer = await fetch(`${url}/nuget/`, {
        method: 'PUT',
        headers: { 'X-NuGet-ApiKey': adminKey, 'Content-Type': 'application/octet-stream' },
        body: await readFile(next.path),
      });
      if (answer.status !== 201) {
        throw new Error(`push of ${next.id} ${next.version}: ${answer.status} ${await answer.text()}`);
      }
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return (performance.now() - started) / 1000;
}

async function mustFetch(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  if (!answer.ok) {
    throw new Error(`${url}: ${answer.status}`);
  }
  return answer.arrayBuffer();
}

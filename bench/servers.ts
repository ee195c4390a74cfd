import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Product } from './product.ts';

const checkout = join(import.meta.dirname, '..');
export const adminKey = 'bench-key-that-opens-a-server-on-loopback-only';

/** The interval of the timer that measures it: the value for a loop that never stops. */
const lagTimerMs = 10;

export type Reference = { readonly url: string; stop(): Promise<void> };
export type Feed = Reference & {
  /** From the start of the process to the first good answer of /readyz. */
  readonly readyMs: number;
  averageBytes(paths: readonly string[]): Promise<number>;
  residentBytes(): Promise<number | undefined>;
  /** The longest stop of its event loop since the last call, or since the start. */
  longestStopMs(): Promise<number>;
};

/** The feed as users run it: its own process, with logging and limits. */
export async function startFeed(
  product: Product,
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Feed> {
  const own = { PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, ADMIN_API_KEY: adminKey };
  const env = { ...process.env, ...own, ...settings };
  const started = performance.now();
  const { child, url, stop } = await startNode([...product.args, 'serve'], env, product.dir);
  await mustFetch(`${url}/readyz`);
  return {
    url,
    stop,
    readyMs: performance.now() - started,
    async averageBytes(paths) {
      let sum = 0;
      const step = Math.max(1, Math.floor(paths.length / 200));
      const some = paths.filter((_, n) => n % step === 0);
      for (const path of some) sum += (await mustFetch(`${url}${path}`)).byteLength;
      return Math.round(sum / some.length);
    },
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      const kilobytes = /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
    },
    async longestStopMs() {
      const text = Buffer.from(await mustFetch(`${url}/metrics`)).toString();
      const seconds = Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]);
      return Math.max(0, seconds * 1000 - lagTimerMs);
    },
  };
}

export function startBare(file: string): Promise<Reference> {
  return startOwn('reference-server.ts', 'bare', file);
}

export function startExpress(): Promise<Reference> {
  return startOwn('reference-server.ts', 'express');
}

export function startPeer(packagesDir: string): Promise<Reference> {
  return startOwn('peer-server.ts', packagesDir);
}

export function startDurable(dir: string): Promise<Reference> {
  return startOwn('durable-server.ts', dir);
}

/** The same reference, without the row. */
export function startFiles(dir: string): Promise<Reference> {
  return startOwn('durable-server.ts', dir, 'files');
}

function startOwn(file: string, ...args: readonly string[]): Promise<Reference> {
  return startNode(['--import', 'tsx', join(import.meta.dirname, file), ...args], process.env, checkout);
}

/** Starts a server of this folder and waits for the address that it prints. */
async function startNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Reference & { readonly child: ChildProcess }> {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    let isFound = false;
    const listen = (text: string): void => {
      // Output is read to the end, since a full pipe would stop the server, but only examined until the server is up.
      if (isFound) return;
      output = (output + text).slice(-10_000);
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (found !== undefined) {
        isFound = true;
        resolve(found);
      }
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.on('data', (bytes: Buffer) => isFound || listen(bytes.toString()));
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}\n${output}`)));
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

async function mustFetch(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  if (!answer.ok) {
    throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  }
  return answer.arrayBuffer();
}

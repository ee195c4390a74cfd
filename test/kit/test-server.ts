import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../../server/config.ts';
import { createLogger } from '../../server/log.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../server/serve.ts';

export type TestServerOptions = Partial<Config> & {
  readonly server?: Partial<ServerOptions>;
};

export type TestServer = RunningServer & {
  readonly adminKey: string;
  readonly dataDir: string;
  /** What was logged so far, a JSON object a line. */
  readonly logged: () => string;
  /** Stops the server; also removes the data folder when it was made here. */
  stop(): Promise<void>;
};

export const productDir = resolve(import.meta.dirname, '..', '..');
export const adminKey = 'an-admin-key-for-tests';

/** A whole server on a free port, with its data in a temporary folder. */
export async function startTestServer({ server, ...settings }: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = settings.dataDir ?? (await copyOfNewData());
  const lines: string[] = [];
  const config: Config = {
    port: 0,
    host: '127.0.0.1',
    dataDir,
    adminApiKey: adminKey,
    maxPackageBytes: 64 * 1024 ** 2,
    logLevel: 'info',
    accessLog: 'all',
    blobCacheBytes: 1024 ** 3,
    stopDelayMs: 0,
    ...settings,
  };
  const log = createLogger(config.logLevel, { write: (line) => void lines.push(line) });
  const running = await startServer(config, log, {
    productDir,
    version: '0.0.0-test',
    env: process.env,
    ...server,
  });
  return {
    ...running,
    adminKey,
    dataDir,
    logged: () => lines.join(''),
    async stop() {
      await running.stop();
      if (settings.dataDir === undefined) {
        await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

let newData: Promise<string> | undefined;

/** The data folder of a server that was started once: to begin one takes a dozen processes of git, and tests start a thousand servers. */
async function copyOfNewData(): Promise<string> {
  newData ??= beginData();
  const dataDir = await makeTempDir();
  await cp(await newData, dataDir, { recursive: true });
  return dataDir;
}

async function beginData(): Promise<string> {
  const dataDir = await makeTempDir();
  await (await startTestServer({ dataDir })).stop();
  return dataDir;
}

export function makeTempDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'go-win-tools-'));
}

/** Makes a key over the API, as an operator does. */
export async function makeKey(
  server: Pick<TestServer, 'url' | 'adminKey'>,
  scopes: readonly string[],
  ids: readonly string[] = [],
  owner?: string,
): Promise<string> {
  const answer = await fetch(`${server.url}/api/v1/keys`, {
    method: 'POST',
    headers: { 'X-NuGet-ApiKey': server.adminKey, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: scopes.join(' '), scopes, ids, owner }),
  });
  const { key } = (await answer.json()) as { key: string };
  return key;
}

/** Pushes as nuget.exe does: multipart with a quoted boundary. */
export function pushNupkg(
  server: Pick<TestServer, 'url'>,
  nupkg: Buffer,
  key: string,
  path = '/nuget/',
): Promise<Response> {
  const boundary = '9051eb0d-4ee5-4d94-b1f6-9d9fc4ef0f0b';
  const head =
    `--${boundary}\r\nContent-Type: application/octet-stream\r\n` +
    "Content-Disposition: form-data; name=package; filename=package.nupkg; filename*=utf-8''package.nupkg\r\n\r\n";
  return fetch(`${server.url}${path}`, {
    method: 'PUT',
    headers: { 'X-NuGet-ApiKey': key, 'Content-Type': `multipart/form-data; boundary="${boundary}"` },
    body: Buffer.concat([Buffer.from(head), nupkg, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  });
}

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import type { Invocation } from '../invocation.ts';
import { openTracer } from '../tracing/tracer.ts';
import { createApp, type Services } from './app.ts';
import { openServices } from './composition-root.ts';
import { type Config, loadConfig } from './config.ts';
import { createDrain, type DrainLimits } from './http/drain.ts';
import { isWildcard, openListener } from './listener.ts';
import { createLogger, type Logger } from './log.ts';
import { readSbomHash } from './sbom-hash.ts';
import { announceServer } from './server-file.ts';
import { configHelp } from './settings.ts';
import { expiryOf } from './tls.ts';

/** The verb `serve`: the server alone, until the signal. */
export function createCommand(invocation: Invocation): Command {
  return new Command('serve')
    .description(
      'Serves the feed, the payloads and the bucket. It makes no outbound connection but to the stores of DATABASE_URL and BLOB_STORE, and to the collector of OTEL_EXPORTER_OTLP_ENDPOINT.',
    )
    .addHelpText('after', `\n${configHelp()}`)
    .action(() => serve(invocation));
}

export type RunningServer = {
  /** The address where it listens. */
  readonly url: string;
  /** The base of links and manifests: PUBLIC_URL, or else `url`. */
  readonly publicUrl: string;
  readonly services: Services;
  /** Serves for STOP_DELAY, unready; then refuses new requests, lets active ones finish, writes what is waiting, and releases the data folder. */
  stop(): Promise<void>;
};

export type ServerOptions = {
  /** The folder that contains the product's own files. */
  readonly productDir: string;
  readonly version: string;
  /** The environment of the process; git gets PATH and the like from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now?: () => Date;
  /** How long active requests may take once the server stops. */
  readonly drain?: Partial<DrainLimits>;
  /** How often the TLS files are checked. */
  readonly tlsPollMs?: number;
  /** How often the time of rollouts passes. */
  readonly rolloutTickMs?: number;
  /** Whether `start` is releasing the first packages, for the pages. */
  readonly isFilling?: () => boolean;
};

const drainLimits: DrainLimits = { stalledMs: 60_000, maxMs: 10 * 60_000 };

/**
 * Starts a whole server, which listens when this returns.
 * @throws FeedError PORT_TAKEN, HOST_UNUSABLE, DATA_DIR_UNUSABLE, DATA_DIR_IN_USE and those of `openServices`
 */
export async function startServer(
  config: Config,
  log: Logger,
  options: ServerOptions,
): Promise<RunningServer> {
  const { productDir, version, env, now = () => new Date(), drain, tlsPollMs = 10_000 } = options;
  let publicUrl = config.publicUrl ?? '';
  let certificateExpiry: Date | undefined;
  let isLeaving = false;
  let isStopping = false;
  const operatorKey = randomBytes(32).toString('base64url');
  const instance = randomBytes(8).toString('hex');
  const tracer = config.tracing && (await openTracer(config.tracing, { name: 'go-win-tools', version, log }));
  const opened = await openServices(config, {
    now,
    log,
    version,
    productDir,
    env,
    publicUrl: () => publicUrl,
    isStopping: () => isStopping,
    isLeaving: () => isLeaving,
    isFilling: options.isFilling,
    certificateExpiry: () => certificateExpiry,
    rolloutTickMs: options.rolloutTickMs,
    operatorKey,
    instance,
    sbomHash: await readSbomHash(productDir),
    tracer,
  });
  try {
    const { server, url, boundUrl } = await openListener(config, createApp(opened.services), log, {
      pollMs: tlsPollMs,
      used(pair) {
        certificateExpiry = expiryOf(pair);
      },
    });
    const drainServer = createDrain(server);
    publicUrl ||= url;
    const withdrawAnnouncement = announceServer(config.dataDir, {
      pid: process.pid,
      url: boundUrl,
      publicUrl,
      key: operatorKey,
      reservedIds: config.reservedIds,
      instance,
      isShared: config.databaseUrl !== undefined,
    });
    log.info({ url, publicUrl, version, dataDir: config.dataDir }, 'listening');
    opened.rereading.start();
    opened.runner.start();
    if (config.publicUrl === undefined && isWildcard(config.host)) {
      log.warn(
        { publicUrl },
        'links work on this machine only; set PUBLIC_URL to the address that clients use',
      );
    }
    async function stop(): Promise<void> {
      isLeaving = true;
      log.info({ stopDelayMs: config.stopDelayMs }, 'stopping');
      await delay(config.stopDelayMs);
      isStopping = true;
      // At once: a supervisor may kill the process before the last download has finished.
      await opened.flush().catch((error: unknown) => log.error({ err: error }, 'counters not written'));
      withdrawAnnouncement();
      const outcome = await drainServer({ ...drainLimits, ...drain });
      await opened.close();
      await tracer?.close();
      log.info({ outcome }, 'stopped');
    }
    let stopping: Promise<void> | undefined;
    return {
      url,
      publicUrl,
      services: opened.services,
      stop() {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function serve({ env, stdout, productDir, signal, version }: Invocation): Promise<void> {
  const config = loadConfig(env);
  const server = await startServer(config, createLogger(config.logLevel), { productDir, version, env });
  stdout.write(`Listening on ${server.url}\n`);
  stdout.write(`Feed: ${server.publicUrl}/nuget\nBucket: ${server.publicUrl}/git/main/go-win-tools.git\n`);
  await whenAborted(signal);
  await server.stop();
}

/** At once if it is already aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

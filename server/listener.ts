import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Config } from './config.ts';
import { FeedError } from './errors.ts';
import { createConnectionLimit } from './http/connections.ts';
import { limitServer } from './http/limits.ts';
import { oneByOne } from './http/pipelining.ts';
import type { Logger } from './log.ts';
import { expiryOf, readTls, type TlsFiles, type TlsPair, watchTls } from './tls.ts';

export type Listener = {
  readonly server: Server;
  /** The address where it listens, usable on this machine. */
  readonly url: string;
  /**
   * The same with the bound IP address. If it listens on 0.0.0.0, `localhost` may lead to a program of another user that listens
   * at the same port of ::1.
   */
  readonly boundUrl: string;
};

export type TlsOptions = {
  /** How often the files are looked at. */
  readonly pollMs: number;
  /** Called with each pair that connections get from then on. */
  readonly used: (pair: TlsPair) => void;
};

/**
 * Starts listening, with https if there are TLS files (reloaded when they change), otherwise with http. HTTP/1.1 only: HTTP/2 has
 * no reason phrases (spec nuget-v2 section 11).
 * @throws FeedError PORT_TAKEN, HOST_UNUSABLE
 */
export async function openListener(
  config: Pick<Config, 'host' | 'port' | 'tls' | 'trustProxy'>,
  handle: RequestListener,
  log: Logger,
  tlsOptions: TlsOptions,
): Promise<Listener> {
  const connections = createConnectionLimit(config.trustProxy ?? [], log);
  const handleInTurn = connections.guard(oneByOne(handle));
  const server =
    config.tls === undefined
      ? createServer(handleInTurn)
      : createReloadingServer(config.tls, handleInTurn, log, tlsOptions);
  limitServer(server);
  connections.watch(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(asListenError(error, config)));
    server.listen(config.port, config.host, () => resolve());
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address : undefined;
  const port = bound?.port ?? config.port;
  const scheme = config.tls === undefined ? 'http' : 'https';
  return {
    server,
    url: `${scheme}://${hostInUrl(config.host)}:${port}`,
    boundUrl: `${scheme}://${loopbackOf(bound?.address ?? config.host)}:${port}`,
  };
}

function loopbackOf(address: string): string {
  const loopbacks: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return hostInUrl(loopbacks[address] ?? address);
}

function createReloadingServer(
  tls: NonNullable<Config['tls']>,
  handle: RequestListener,
  log: Logger,
  { pollMs, used }: TlsOptions,
): TlsServer {
  const first = readTls(tls);
  const server = createTlsServer(first, handle);
  used(first);
  warnIfExpired(first, tls, log);
  const watch = watchTls(
    tls,
    {
      changed(pair) {
        server.setSecureContext(pair);
        used(pair);
        log.info({ ...tls }, 'certificate read again');
        warnIfExpired(pair, tls, log);
      },
      broken: (error) => log.error({ ...tls, err: error }, 'new certificate unusable, the old one stays'),
    },
    pollMs,
  );
  server.once('close', watch.stop);
  return server;
}

function warnIfExpired(pair: TlsPair, files: TlsFiles, log: Logger): void {
  const expired = expiryOf(pair);
  if (expired < new Date()) log.warn({ ...files, expired }, 'the certificate has expired: clients refuse it');
}

const causes: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no such name is known',
  EAI_AGAIN: 'no such name is known',
  EACCES: 'this user may not use that port',
};

function asListenError(error: Error, { host, port }: Pick<Config, 'host' | 'port'>): Error {
  const code = 'code' in error ? String(error.code) : '';
  return code === 'EADDRINUSE'
    ? new FeedError('PORT_TAKEN', { host, port }, error)
    : new FeedError('HOST_UNUSABLE', { host, port, cause: causes[code] ?? error.message }, error);
}

/** Nobody can connect to a wildcard address, but on this machine it includes localhost. */
function hostInUrl(host: string): string {
  if (isWildcard(host)) {
    return 'localhost';
  }
  return host.includes(':') ? `[${host}]` : host;
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

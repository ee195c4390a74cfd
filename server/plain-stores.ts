import { isLocalHost } from '../formats/ip-address.ts';
import type { Logger } from './log.ts';
import { openPostgres } from './replica/postgres.ts';

/** Warns about each shared store on another machine that is not reached with TLS. No line contains a user or a password. */
export async function warnOfPlainStores(
  databaseUrl: string,
  endpoint: string | undefined,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const postgres = await openPostgres(databaseUrl);
  if (postgres.isPlain()) {
    log.warn(
      { database: postgres.name },
      'the database is on another machine, without TLS: whoever is on the way can read and change everything. Add ?sslmode=verify-full to DATABASE_URL',
    );
  }
  const { protocol, hostname, origin } = new URL(endpoint ?? 'https://localhost');
  if (protocol === 'http:' && !isLocalHost(hostname)) {
    log.warn(
      { endpoint: origin },
      'the object store is on another machine, without TLS: whoever is on the way can read packages. Set S3_ENDPOINT to an https address',
    );
  }
}

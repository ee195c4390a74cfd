import type { Client, types as PgTypes, QueryResult } from 'pg';
import { isLocalHost } from '../../formats/ip-address.ts';
import { messageOf } from '../../formats/thrown.ts';
import { FeedError } from '../errors.ts';

/** One connection to PostgreSQL. */
export type Session = {
  query(text: string, values?: readonly unknown[]): Promise<readonly (readonly unknown[])[]>;
  /** Several statements without values in one round trip; the rows of the last one. */
  run(text: string): Promise<readonly (readonly unknown[])[]>;
  /** Whether it can still be used. */
  isOpen(): boolean;
  /** Does not wait for anything. */
  close(): void;
};

export type Postgres = {
  /** For people: without user and password. */
  readonly name: string;
  /** Whether the driver leaves this machine without TLS. */
  isPlain(): boolean;
  /** @throws FeedError DATABASE_UNREACHABLE, DATABASE_REFUSED */
  connect(): Promise<Session>;
};

const connectMs = 2_000;
/** No statement of ours takes longer, but for copies of everything (`full-copy.ts`). */
const statementMs = 14_000;
/** A database that says nothing for so long is given up, also where the network swallows everything. */
const silentMs = statementMs + 1_000;
/** Who waits longer for its turn gets an error (503), and its client tries again. */
const lockMs = 10_000;
/** A replica that is frozen in its turn loses it, so that the others go on. */
const idleInTransactionMs = 2_000;

/** What the database shows of a server's connections in `pg_stat_activity`: its version and which process it is. */
export const applicationOf = (version: string, instance: string): string =>
  `go-win-tools/${version} serve ${instance}`;

/** Opens no connection yet. The driver is loaded here, so that a server without PostgreSQL never loads it. */
export async function openPostgres(url: string, application = 'go-win-tools'): Promise<Postgres> {
  const { default: pg } = await import('pg');
  const name = nameOf(url);
  // Times and sizes are whole numbers below 2^53.
  const parsers = new pg.TypeOverrides(pg.types as typeof PgTypes);
  parsers.setTypeParser(pg.types.builtins.INT8, Number);
  return {
    name,
    isPlain() {
      const { host, ssl } = createClient();
      return !ssl && !isLocalHost(host);
    },
    async connect() {
      const client = createClient();
      try {
        await client.connect();
      } catch (error) {
        client.end().catch(() => undefined);
        throw asFeedError(error, name);
      }
      return createSession(client, name);
    },
  };

  function createClient(): Client {
    try {
      return new pg.Client({
        connectionString: url,
        types: parsers,
        application_name: application,
        connectionTimeoutMillis: connectMs,
        keepAlive: true,
        keepAliveInitialDelayMillis: 1_000,
        statement_timeout: statementMs,
        query_timeout: silentMs,
        lock_timeout: lockMs,
        idle_in_transaction_session_timeout: idleInTransactionMs,
      });
    } catch (error) {
      // It reads the files that the address names.
      throw asFeedError(error, name);
    }
  }
}

function createSession(client: Client, name: string): Session {
  let isOpen = true;
  const end = (): void => {
    isOpen = false;
  };
  // Both come by themselves when the connection breaks; a query that runs is rejected as well.
  client.on('error', end);
  client.on('end', end);
  async function ask(query: { text: string; values?: unknown[] }): Promise<readonly (readonly unknown[])[]> {
    try {
      const found = (await client.query({ ...query, rowMode: 'array' })) as unknown as
        | QueryResult<unknown[]>
        | QueryResult<unknown[]>[];
      return (Array.isArray(found) ? found.at(-1) : found)?.rows ?? [];
    } catch (error) {
      throw asFeedError(error, name);
    }
  }
  return {
    query: (text, values = []) => ask({ text, values: [...values] }),
    run: (text) => ask({ text }),
    isOpen: () => isOpen,
    close() {
      isOpen = false;
      // Ends at once, also where the other side is silent.
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    },
  };
}

/** `postgres://feed.example:5432/feed`: never the user or the password. */
function nameOf(url: string): string {
  try {
    const { hostname, port, pathname, searchParams } = new URL(url);
    const host = hostname === '' ? (searchParams.get('host') ?? 'localhost') : hostname;
    return `postgres://${host}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    return 'in DATABASE_URL';
  }
}

/** The classes and codes of PostgreSQL's errors (its manual, appendix A). */
const kinds: readonly (readonly [
  pattern: RegExp,
  code: 'DATABASE_REFUSED' | 'DATABASE_RIGHTS' | 'DATABASE_READ_ONLY' | 'DATABASE_LOCKED',
])[] = [
  [/^(28...|3D000)$/, 'DATABASE_REFUSED'],
  [/^(42501|3F000)$/, 'DATABASE_RIGHTS'],
  [/^25006$/, 'DATABASE_READ_ONLY'],
  [/^55P03$/, 'DATABASE_LOCKED'],
];
/** Faults of ours, which must not look as if the database were away. */
const ours = /^(22|23|26|34|42|0A)...$/;

/** In a sentence, without anything that the driver may have put into its message besides PostgreSQL's own. */
function asFeedError(error: unknown, database: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = messageOf(error).replace(/\s+/g, ' ');
  const [, known] = kinds.find(([pattern]) => pattern.test(code)) ?? [];
  if (known !== undefined) return new FeedError(known, { database, cause }, error);
  if (ours.test(code)) return error;
  return new FeedError('DATABASE_UNREACHABLE', { database, cause: cause || code }, error);
}

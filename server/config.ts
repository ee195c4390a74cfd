import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileReason } from '../formats/file-reason.ts';
import { type TracingConfig, tracingOf } from '../tracing/settings.ts';
import type { Approvals } from './feed/approvals.ts';
import { type AccessLog, type LogLevel, Settings } from './settings.ts';
import { type BlobStoreAddress, sharedStoreProblems } from './shared-stores.ts';
import { readTls, type TlsFiles } from './tls.ts';

export type Config = {
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Without a trailing slash. */
  readonly publicUrl?: string;
  /** PostgreSQL in place of SQLite; holds a password. Set together with `blobStore`. */
  readonly databaseUrl?: string;
  /** An object store in place of the local disk. */
  readonly blobStore?: BlobStoreAddress & {
    readonly endpoint?: string;
    readonly region?: string;
    readonly forcePathStyle: boolean;
  };
  /** How much of an object store is kept locally; 0: nothing. */
  readonly blobCacheBytes: number;
  /** How long a stopping server still serves. */
  readonly stopDelayMs: number;
  readonly tls?: TlsFiles;
  readonly trustProxy?: readonly string[];
  readonly adminApiKey?: string;
  readonly readAuth?: 'feed' | 'all';
  readonly maxPackageBytes: number;
  /** Ids, or prefixes of ids that end in `*`. */
  readonly reservedIds?: readonly string[];
  /** Client ids that only a ring names; else any may come. */
  readonly clients?: 'open' | 'known';
  readonly approvals?: Approvals;
  readonly logLevel: LogLevel;
  readonly accessLog: AccessLog;
  readonly tracing?: TracingConfig;
};

/** Invalid settings, all of them at once. */
export class ConfigError extends Error {
  readonly exitCode = 2;
  readonly hint = '`serve --help` explains every setting.';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the settings from an environment. An empty variable counts as unset (compose files set those). `one server`: for a verb that
 * works with SQLite and the local disk only.
 * @throws ConfigError with every problem
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  supports: 'replicas' | 'one server' = 'replicas',
): Config {
  const problems: string[] = [];
  const given: Record<string, string> = {};
  for (const name of Object.keys(Settings.shape)) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== '') {
      given[name] = value;
    }
  }
  for (const name of ['ADMIN_API_KEY', 'DATABASE_URL'] as const) readSecretFile(given, name, problems);
  problems.push(...sharedStoreProblems(given, supports));
  if ((given.TLS_CERT_FILE === undefined) !== (given.TLS_KEY_FILE === undefined)) {
    problems.push('TLS_CERT_FILE, TLS_KEY_FILE: https needs both');
  }
  const tls =
    given.TLS_CERT_FILE === undefined || given.TLS_KEY_FILE === undefined
      ? undefined
      : { certFile: resolve(given.TLS_CERT_FILE), keyFile: resolve(given.TLS_KEY_FILE) };
  if (tls !== undefined) {
    try {
      readTls(tls);
    } catch (error) {
      problems.push(`TLS_CERT_FILE, TLS_KEY_FILE: ${reasonOf(error)}`);
    }
  }
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const tracing = parsed.success ? tracingOf(parsed.data, problems) : undefined;
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(problems);
  }
  const settings = parsed.data;
  return Object.freeze({
    port: settings.PORT,
    host: settings.HOST,
    dataDir: resolve(settings.DATA_DIR),
    maxPackageBytes: settings.MAX_PACKAGE_BYTES,
    blobCacheBytes: settings.BLOB_CACHE_BYTES,
    stopDelayMs: settings.STOP_DELAY,
    logLevel: settings.LOG_LEVEL,
    accessLog: settings.ACCESS_LOG,
    ...(settings.PUBLIC_URL === undefined ? {} : { publicUrl: settings.PUBLIC_URL }),
    ...(settings.DATABASE_URL === undefined ? {} : { databaseUrl: settings.DATABASE_URL }),
    ...(settings.BLOB_STORE === undefined
      ? {}
      : {
          blobStore: {
            ...settings.BLOB_STORE,
            forcePathStyle: settings.S3_FORCE_PATH_STYLE === 'true',
            ...(settings.S3_ENDPOINT === undefined ? {} : { endpoint: settings.S3_ENDPOINT }),
            ...(settings.S3_REGION === undefined ? {} : { region: settings.S3_REGION }),
          },
        }),
    ...(tls === undefined ? {} : { tls }),
    ...(settings.TRUST_PROXY === undefined ? {} : { trustProxy: settings.TRUST_PROXY }),
    ...(settings.ADMIN_API_KEY === undefined ? {} : { adminApiKey: settings.ADMIN_API_KEY }),
    ...(settings.RESERVED_IDS === undefined ? {} : { reservedIds: settings.RESERVED_IDS }),
    ...(settings.CLIENTS === undefined ? {} : { clients: settings.CLIENTS }),
    ...(settings.APPROVALS === undefined ? {} : { approvals: settings.APPROVALS }),
    ...(settings.READ_AUTH === undefined ? {} : { readAuth: settings.READ_AUTH }),
    ...(tracing === undefined ? {} : { tracing }),
  });
}

/** A secret may come in a file that NAME_FILE names. */
function readSecretFile(
  given: Record<string, string>,
  name: 'ADMIN_API_KEY' | 'DATABASE_URL',
  problems: string[],
): void {
  const path = given[`${name}_FILE`];
  if (path === undefined) return;
  if (given[name] !== undefined) {
    problems.push(`${name}_FILE: ${name} is set too; set one of the two`);
    return;
  }
  try {
    given[name] = readFileSync(path, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE: ${reasonOf(error)}`);
  }
}

/** Why the file that a setting names is unusable: an error of the file system, or of its content. */
function reasonOf(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? `${error.path}: ` : '';
  return `${path}${fileReason(error)}`;
}

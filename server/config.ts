import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { fileReason } from '../formats/file-reason.ts';
import {
  approvalCounts,
  byteCount,
  idPrefixes,
  proxyAddresses,
  publicUrl,
  wholeNumber,
} from './config-values.ts';
import type { Approvals } from './feed/approvals.ts';
import { readTls, type TlsFiles } from './tls.ts';

export type Config = {
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Without a trailing slash. */
  readonly publicUrl?: string;
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
  readonly logLevel: (typeof logLevels)[number];
  readonly accessLog: AccessLog;
};

export type AccessLog = (typeof accessLogs)[number];

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const accessLogs = ['off', 'errors', 'all'] as const;

/** Every setting of the server (contract section 2): its schema, its default, its sentence in `serve --help`. */
const Settings = z.object({
  PORT: wholeNumber(0, 65_535).default(8080).describe('Port to listen on; 0 picks a free one and prints it.'),
  HOST: z
    .string()
    .regex(/^[^\s/@?#]+$/, 'expected an address or a host name')
    .default('127.0.0.1')
    .describe('Address to listen on; 0.0.0.0 is every address of this machine.'),
  DATA_DIR: z
    .string()
    .default('./data')
    .describe('Folder of database, packages, bucket and keys; locked while in use.'),
  PUBLIC_URL: z
    .string()
    .transform(publicUrl)
    .optional()
    .describe(
      'Base of every link and of what is written into manifests: the address that clients use. Default: http://HOST:PORT.',
    ),
  TLS_CERT_FILE: z
    .string()
    .optional()
    .describe(
      'PEM certificate chain; with TLS_KEY_FILE the server speaks https. Read again when it changes.',
    ),
  TLS_KEY_FILE: z.string().optional().describe('PEM private key of TLS_CERT_FILE.'),
  TRUST_PROXY: z
    .string()
    .transform(proxyAddresses)
    .optional()
    .describe(
      'Addresses or networks of reverse proxies whose X-Forwarded-* headers count, separated by commas.',
    ),
  ADMIN_API_KEY: z
    .string()
    .regex(/^\S+$/, 'expected a key without blanks')
    .min(16, 'expected at least 16 characters, since it opens everything (openssl rand -hex 32 makes one)')
    .optional()
    .describe('A key with every scope, for automation; at least 16 characters.'),
  ADMIN_API_KEY_FILE: z.string().optional().describe('File that holds ADMIN_API_KEY.'),
  READ_AUTH: z
    .enum(['feed', 'all'], 'expected feed or all')
    .optional()
    .describe(
      'feed: reading the feed needs a key with the scope read; all: everything does, but /healthz, /readyz, /install.*, /m/* and *.sha256.',
    ),
  MAX_PACKAGE_BYTES: z
    .string()
    .transform(byteCount)
    .default(4 * 1024 ** 3)
    .describe('Largest upload: a number of bytes, or with KiB, MiB, GiB. Default: 4 GiB.'),
  RESERVED_IDS: z
    .string()
    .transform(idPrefixes)
    .optional()
    .describe(
      'Ids and prefixes of ids (acme.*), separated by commas, that only keys limited to such ids may publish.',
    ),
  CLIENTS: z
    .enum(['open', 'known'], 'expected open or known')
    .optional()
    .describe('Which client ids may ask: open (any) or known (those that a ring names). Default: open.'),
  APPROVALS: z
    .string()
    .transform(approvalCounts)
    .optional()
    .describe(
      'GLOB=N,...: how many other owners must approve a stable version of these ids, which then comes by release:rollout only.',
    ),
  LOG_LEVEL: z
    .enum(logLevels, `expected one of ${logLevels.join(', ')}`)
    .default('info')
    .describe(`How much is logged: ${logLevels.join(', ')}.`),
  ACCESS_LOG: z
    .enum(accessLogs, `expected one of ${accessLogs.join(', ')}`)
    .default('all')
    .describe('Which requests have a line in the log: off, errors (refused, failed or cut off) or all.'),
});

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
 * Reads the settings from an environment. An empty variable counts as unset (compose files set those).
 * @throws ConfigError with every problem
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const given: Record<string, string> = {};
  for (const name of Object.keys(Settings.shape)) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== '') {
      given[name] = value;
    }
  }
  if (given.ADMIN_API_KEY !== undefined && given.ADMIN_API_KEY_FILE !== undefined) {
    problems.push('ADMIN_API_KEY_FILE: ADMIN_API_KEY is set too; set one of the two');
  } else if (given.ADMIN_API_KEY_FILE !== undefined) {
    try {
      given.ADMIN_API_KEY = readFileSync(given.ADMIN_API_KEY_FILE, 'utf8').trim();
    } catch (error) {
      problems.push(`ADMIN_API_KEY_FILE: ${reasonOf(error)}`);
    }
  }
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
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(problems);
  }
  const settings = parsed.data;
  return Object.freeze({
    port: settings.PORT,
    host: settings.HOST,
    dataDir: resolve(settings.DATA_DIR),
    maxPackageBytes: settings.MAX_PACKAGE_BYTES,
    logLevel: settings.LOG_LEVEL,
    accessLog: settings.ACCESS_LOG,
    ...(settings.PUBLIC_URL === undefined ? {} : { publicUrl: settings.PUBLIC_URL }),
    ...(tls === undefined ? {} : { tls }),
    ...(settings.TRUST_PROXY === undefined ? {} : { trustProxy: settings.TRUST_PROXY }),
    ...(settings.ADMIN_API_KEY === undefined ? {} : { adminApiKey: settings.ADMIN_API_KEY }),
    ...(settings.RESERVED_IDS === undefined ? {} : { reservedIds: settings.RESERVED_IDS }),
    ...(settings.CLIENTS === undefined ? {} : { clients: settings.CLIENTS }),
    ...(settings.APPROVALS === undefined ? {} : { approvals: settings.APPROVALS }),
    ...(settings.READ_AUTH === undefined ? {} : { readAuth: settings.READ_AUTH }),
  });
}

/** The settings in `serve --help`, made from the schema, so that none is missing. */
export function configHelp(): string {
  const lines = Object.entries(Settings.shape).map(
    ([name, setting]) => `  ${name.padEnd(20)}${setting.description ?? ''}${defaultOf(setting)}`,
  );
  return ['Settings (environment variables):', ...lines].join('\n');
}

function defaultOf(setting: z.ZodType): string {
  if (!(setting instanceof z.ZodDefault) || setting.description?.includes('Default:')) {
    return '';
  }
  return ` Default: ${String(setting.def.defaultValue)}.`;
}

/** Why the file that a setting names is unusable: an error of the file system, or of its content. */
function reasonOf(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? `${error.path}: ` : '';
  return `${path}${fileReason(error)}`;
}

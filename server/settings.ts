import * as z from 'zod';
import { tracingSettings } from '../tracing/settings.ts';
import {
  approvalCounts,
  byteCount,
  byteCountOrZero,
  idPrefixes,
  proxyAddresses,
  publicUrl,
  stopDelay,
  wholeNumber,
} from './config-values.ts';
import { blobStore, databaseUrl } from './shared-stores.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const accessLogs = ['off', 'errors', 'all'] as const;

export type LogLevel = (typeof logLevels)[number];
export type AccessLog = (typeof accessLogs)[number];

/** Every setting of the server (contract section 2): its schema, its default, its sentence in `serve --help`. */
export const Settings = z.object({
  PORT: wholeNumber(0, 65_535).default(8080).describe('Port to listen on; 0 picks a free one and prints it.'),
  HOST: z
    .string()
    .regex(/^[^\s/@?#]+$/, 'expected an address or a host name')
    .default('127.0.0.1')
    .describe('Address to listen on; 0.0.0.0 is every address of this machine.'),
  DATA_DIR: z
    .string()
    .default('./data')
    .describe(
      'Folder of database, packages, bucket and keys; locked while in use. With DATABASE_URL it holds only what can be made again.',
    ),
  PUBLIC_URL: z
    .string()
    .transform(publicUrl)
    .optional()
    .describe(
      'Base of every link and of what is written into manifests: the address that clients use. Required with DATABASE_URL. Default: http://HOST:PORT.',
    ),
  DATABASE_URL: z
    .string()
    .transform(databaseUrl)
    .optional()
    .describe(
      'postgres://USER:PASSWORD@HOST/DATABASE: PostgreSQL 15 or newer, which several servers share; needs BLOB_STORE. Default: SQLite in DATA_DIR.',
    ),
  DATABASE_URL_FILE: z.string().optional().describe('File that holds DATABASE_URL.'),
  BLOB_STORE: z
    .string()
    .transform(blobStore)
    .optional()
    .describe(
      "s3://BUCKET/PREFIX: the object store of packages and payloads, with the AWS SDK's own settings for credentials; needs DATABASE_URL. Default: DATA_DIR/blobs.",
    ),
  S3_ENDPOINT: z
    .string()
    .transform((text, context) => publicUrl(text, context, 'https://s3.example.org'))
    .optional()
    .describe('Address of an object store other than Amazon S3.'),
  S3_REGION: z
    .string()
    .regex(/^[\w-]+$/, 'expected a region such as eu-central-1')
    .optional()
    .describe('Region of the bucket. Default: what the AWS SDK finds, such as AWS_REGION.'),
  S3_FORCE_PATH_STYLE: z
    .enum(['true', 'false'], 'expected true or false')
    .default('false')
    .describe(
      'true: the bucket is in the path of addresses (S3_ENDPOINT/BUCKET), as most stores other than Amazon S3 need it; false: in the host name. Default: false.',
    ),
  BLOB_CACHE_BYTES: z
    .string()
    .transform(byteCountOrZero)
    .default(1024 ** 3)
    .describe(
      'How much of an object store is kept in DATA_DIR for reading: a number of bytes, or with KiB, MiB, GiB; 0 keeps nothing. Default: 1 GiB.',
    ),
  STOP_DELAY: z
    .string()
    .transform(stopDelay)
    .default(0)
    .describe(
      'How long a stopping server still serves, with /readyz at 503, so that a load balancer can notice: seconds, or with s or m. Default: 0 s.',
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
      'feed: reading the feed needs a key with the scope read; all: everything does, except /healthz, /readyz, /install.*, /m/* (but for /m/c/*) and *.sha256.',
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
      'GLOB=N,...: how many other owners must approve a stable version of these ids, which can then be published only by release:rollout.',
    ),
  LOG_LEVEL: z
    .enum(logLevels, `expected one of ${logLevels.join(', ')}`)
    .default('info')
    .describe(`How much is logged: ${logLevels.join(', ')}.`),
  ACCESS_LOG: z
    .enum(accessLogs, `expected one of ${accessLogs.join(', ')}`)
    .default('all')
    .describe('Which requests have a line in the log: off, errors (refused, failed or cut off) or all.'),
  ...tracingSettings,
});

/** They are for servers that share PostgreSQL and an object store; a verb that works on one disk does not show them. */
const ofReplicas = /^(DATABASE_URL|BLOB_|S3_)/;

/** The settings in `serve --help`, made from the schema, so that none is missing. */
export function configHelp(supports: 'replicas' | 'one server' = 'replicas'): string {
  const lines = Object.entries(Settings.shape)
    .filter(([name]) => supports === 'replicas' || !ofReplicas.test(name))
    .map(([name, setting]) => `  ${name.padEnd(19)} ${setting.description ?? ''}${defaultOf(setting)}`);
  return ['Settings (environment variables):', ...lines].join('\n');
}

function defaultOf(setting: z.ZodType): string {
  if (!(setting instanceof z.ZodDefault) || setting.description?.includes('Default:')) {
    return '';
  }
  return ` Default: ${String(setting.def.defaultValue)}.`;
}

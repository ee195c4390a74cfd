import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../server/config.ts';
import { configHelp } from '../../server/settings.ts';
import { tracingSettings } from '../../tracing/settings.ts';

const settings = [
  'PORT',
  'HOST',
  'DATA_DIR',
  'PUBLIC_URL',
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'BLOB_STORE',
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_FORCE_PATH_STYLE',
  'BLOB_CACHE_BYTES',
  'STOP_DELAY',
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'TRUST_PROXY',
  'ADMIN_API_KEY',
  'ADMIN_API_KEY_FILE',
  'READ_AUTH',
  'MAX_PACKAGE_BYTES',
  'RESERVED_IDS',
  'CLIENTS',
  'APPROVALS',
  'LOG_LEVEL',
  'ACCESS_LOG',
  ...Object.keys(tracingSettings),
];

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe('config', () => {
  it('has a default for everything', () => {
    expect(loadConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      dataDir: resolve('data'),
      maxPackageBytes: 4 * 1024 ** 3,
      blobCacheBytes: 1024 ** 3,
      stopDelayMs: 0,
      logLevel: 'info',
      accessLog: 'all',
    });
  });

  it('reads every setting', () => {
    const config = loadConfig({
      PORT: '0',
      HOST: '0.0.0.0',
      DATA_DIR: '/srv/feed',
      PUBLIC_URL: 'https://feed.example.org/tools/',
      DATABASE_URL: 'postgres://feed:secret@db.example.org:5433/feed?sslmode=require',
      BLOB_STORE: 's3://tools/feeds/main/',
      S3_ENDPOINT: 'https://s3.example.org:9000/',
      S3_REGION: 'eu-central-1',
      S3_FORCE_PATH_STYLE: 'true',
      BLOB_CACHE_BYTES: '20 GiB',
      STOP_DELAY: '15',
      TRUST_PROXY: '10.0.0.0/8, ::1,loopback',
      ADMIN_API_KEY: ' a-very-secret-key ',
      READ_AUTH: 'all',
      MAX_PACKAGE_BYTES: '500 MiB',
      RESERVED_IDS: 'acme.*, delve',
      CLIENTS: 'known',
      APPROVALS: 'delve=1, acme.*=12',
      LOG_LEVEL: 'debug',
      ACCESS_LOG: 'errors',
    });

    expect(config).toEqual({
      port: 0,
      host: '0.0.0.0',
      dataDir: resolve('/srv/feed'),
      publicUrl: 'https://feed.example.org/tools',
      databaseUrl: 'postgres://feed:secret@db.example.org:5433/feed?sslmode=require',
      blobStore: {
        bucket: 'tools',
        prefix: 'feeds/main',
        endpoint: 'https://s3.example.org:9000',
        region: 'eu-central-1',
        forcePathStyle: true,
      },
      blobCacheBytes: 20 * 1024 ** 3,
      stopDelayMs: 15_000,
      trustProxy: ['10.0.0.0/8', '::1', 'loopback'],
      adminApiKey: 'a-very-secret-key',
      readAuth: 'all',
      maxPackageBytes: 500 * 1024 ** 2,
      reservedIds: ['acme.*', 'delve'],
      clients: 'known',
      approvals: [
        { glob: 'delve', owners: 1 },
        { glob: 'acme.*', owners: 12 },
      ],
      logLevel: 'debug',
      accessLog: 'errors',
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('treats an empty variable as unset', () => {
    expect(loadConfig({ PORT: '', READ_AUTH: ' ', PUBLIC_URL: '' })).toEqual(loadConfig({}));
  });

  it.each([
    ['PORT', '80a'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['HOST', 'http://localhost'],
    ['PUBLIC_URL', 'feed.example.org'],
    ['PUBLIC_URL', 'ftp://feed.example.org'],
    ['PUBLIC_URL', '"http://feed.example.org"'],
    ['PUBLIC_URL', 'http://feed.example.org"'],
    ['PUBLIC_URL', "http://feed.example.org/it's"],
    ['PUBLIC_URL', 'https://feed.example.org/?a=b'],
    ['PUBLIC_URL', 'https://user:password@feed.example.org'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', 'proxy.example.org'],
    ['ADMIN_API_KEY', 'two long enough words'],
    ['ADMIN_API_KEY', 'fifteen-letters'],
    ['ADMIN_API_KEY_FILE', '/no/such/file'],
    ['READ_AUTH', 'yes'],
    ['MAX_PACKAGE_BYTES', '0'],
    ['MAX_PACKAGE_BYTES', '4 GB'],
    ['MAX_PACKAGE_BYTES', '1e9'],
    ['LOG_LEVEL', 'loud'],
    ['ACCESS_LOG', 'some'],
    ['RESERVED_IDS', '*'],
    ['RESERVED_IDS', 'acme.'],
    ['RESERVED_IDS', 'a*b'],
    ['RESERVED_IDS', 'acme-?'],
    ['CLIENTS', 'closed'],
    ['APPROVALS', 'delve'],
    ['APPROVALS', 'delve=0'],
    ['APPROVALS', 'delve=-1'],
    ['APPROVALS', 'delve=1.5'],
    ['APPROVALS', 'delve=100'],
    ['APPROVALS', '=1'],
    ['APPROVALS', 'a b=1'],
    ['APPROVALS', ','],
    ['TLS_CERT_FILE', '/no/such/file'],
    ['DATABASE_URL_FILE', '/no/such/file'],
    ['S3_ENDPOINT', 's3.example.org'],
    ['S3_REGION', 'eu central'],
    ['S3_FORCE_PATH_STYLE', 'yes'],
    ['BLOB_CACHE_BYTES', '-1'],
    ['BLOB_CACHE_BYTES', '1 GB'],
    ['STOP_DELAY', '-1'],
    ['STOP_DELAY', '1.5'],
    ['STOP_DELAY', '2h'],
    ['STOP_DELAY', 'soon'],
  ])('refuses %s=%s and names it', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  it('lists all problems at once, with exit code 2', () => {
    const env = {
      PORT: 'x',
      READ_AUTH: 'y',
      LOG_LEVEL: 'z',
      TLS_KEY_FILE: '/k',
      ADMIN_API_KEY: 'secret',
      ADMIN_API_KEY_FILE: '/f',
    };

    const thrown = (() => {
      try {
        return loadConfig(env);
      } catch (error) {
        return error;
      }
    })();

    expect(thrown).toMatchObject({ exitCode: 2, hint: expect.stringContaining('serve --help') });
    const { message } = thrown as Error;
    for (const name of ['PORT', 'READ_AUTH', 'LOG_LEVEL', 'TLS_CERT_FILE', 'ADMIN_API_KEY_FILE']) {
      expect(message).toContain(`\n  ${name}`);
    }
    expect(message).not.toContain('secret');
  });

  it('reads a secret from a file', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'go-win-tools-')), 'key');
    await writeFile(file, 'the-key-from-a-file\n');

    expect(loadConfig({ ADMIN_API_KEY_FILE: file }).adminApiKey).toBe('the-key-from-a-file');
  });

  it.each([
    ['no certificate', 'no key'],
    ['', ''],
  ])('refuses a certificate file without a certificate: %j', async (certificate, key) => {
    const dir = await mkdtemp(join(tmpdir(), 'go-win-tools-'));
    const [certFile, keyFile] = [join(dir, 'cert'), join(dir, 'key')];
    await writeFile(certFile, certificate);
    await writeFile(keyFile, key);

    expect(problemsOf({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile })).toEqual([
      expect.stringContaining('TLS_CERT_FILE, TLS_KEY_FILE'),
    ]);
  });

  it.each([
    ['0', 0],
    ['15', 15_000],
    ['15s', 15_000],
    ['15 s', 15_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('reads STOP_DELAY=%s', (value, ms) => {
    expect(loadConfig({ STOP_DELAY: value }).stopDelayMs).toBe(ms);
  });

  it('turns the local cache off with BLOB_CACHE_BYTES=0', () => {
    expect(loadConfig({ BLOB_CACHE_BYTES: '0' }).blobCacheBytes).toBe(0);
  });

  it('explains every setting in its help, with its default', () => {
    const help = configHelp();

    for (const name of settings) {
      expect(help).toMatch(new RegExp(`^  ${name} +\\S.+\\.$`, 'm'));
    }
    expect(help).toContain('Default: 8080.');
    expect(help).toContain('Default: ./data.');
    expect(help.split('\n')).toHaveLength(settings.length + 1);
  });

  it('leaves out what one server refuses', () => {
    const help = configHelp('one server');

    expect(help).toMatch(/^ {2}DATA_DIR /m);
    expect(help).not.toMatch(/^ {2}(DATABASE_URL|BLOB_STORE|S3_ENDPOINT)\b/m);
  });
});

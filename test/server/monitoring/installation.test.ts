import { X509Certificate } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../../../server/database/migrations.ts';
import { noteBackupIn } from '../../../server/database/sql-backups.ts';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { metricsPage } from '../../kit/metrics-page.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb } from '../../kit/operator-fixture.ts';
import { makePrivateAuthority } from '../../kit/private-authority.ts';
import { hasProgram, mustRun } from '../../kit/programs.ts';
import { makeTempDir, pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { until } from '../../kit/until.ts';

let dir: string;
beforeAll(async () => {
  dir = await makeTempDir();
});
afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

/** The value of each row of /metrics. */
async function read({ url }: Pick<TestServer, 'url'>): Promise<ReadonlyMap<string, number>> {
  const page = await metricsPage(url);
  const rows = page.split('\n').filter((line) => line.startsWith('gwt_'));
  return new Map(rows.map((row) => [row.replace(/ [^ ]+$/, ''), Number(row.replace(/^.* /, ''))]));
}

describe('the metrics of an installation', () => {
  it('say what runs, how much room there is, and how old the last backup is: after a restart, too', async () => {
    const dataDir = join(dir, 'data');
    let server = await startTestServer({ dataDir });
    await pushNupkg(server, makeNupkg({ id: 'Tool' }), server.adminKey);

    const before = await read(server);

    expect(before.get('gwt_build_info{version="0.0.0-test"}')).toBe(1);
    expect(before.get('gwt_schema_version')).toBe(migrations.length);
    expect(before.get('gwt_audit_entries')).toBe((await server.services.audit.head()).number);
    expect(before.get('gwt_disk_free_bytes')).toBeGreaterThan(0);
    expect(before.get('gwt_disk_free_bytes')).toBeLessThan(before.get('gwt_disk_total_bytes') ?? 0);
    expect(before.get('gwt_backup_last_timestamp_seconds')).toBe(0);
    // What a single server without TLS does not have.
    for (const name of ['gwt_certificate', 'gwt_blob_cache', 'gwt_collector', 'gwt_backup_last_size'])
      expect([...before.keys()].filter((row) => row.startsWith(name))).toEqual([]);

    const file = join(dir, 'feed.tar');
    const since = Date.now() / 1000;
    expect(await runVerb(createBackup, dataDir, file)).toMatchObject({ code: 0, stderr: '' });
    await server.stop();
    server = await startTestServer({ dataDir });
    const after = await read(server);
    await server.stop();

    expect(after.get('gwt_backup_last_timestamp_seconds')).toBeGreaterThanOrEqual(since - 1);
    expect(after.get('gwt_backup_last_timestamp_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
    expect(after.get('gwt_backup_last_size_bytes')).toBe((await stat(file)).size);
  });

  it('show a backup that was made beside the running server', async () => {
    const server = await startTestServer();
    try {
      await runVerb(createBackup, server.dataDir, join(dir, 'beside.tar'));
      expect((await read(server)).get('gwt_backup_last_timestamp_seconds')).toBeGreaterThan(0);
    } finally {
      await server.stop();
    }
  });

  it('count refused keys and passwords by their code', async () => {
    const server = await startTestServer({ readAuth: 'feed' });
    const status = async (path: string, headers: Record<string, string>) =>
      (await fetch(`${server.url}${path}`, { headers })).status;
    const basic = `Basic ${Buffer.from('me:wrong').toString('base64')}`;
    try {
      expect((await pushNupkg(server, makeNupkg({ id: 'Tool' }), 'wrong')).status).toBe(403);
      expect(await status('/nuget/Packages()', { Authorization: basic })).toBe(401);
      expect(await status('/nuget/Packages()', {})).toBe(401);
      expect(await status('/api/v1/audit', { 'X-NuGet-ApiKey': 'wrong' })).toBe(403);
      // No refusal: there is no such key to revoke.
      const missing = await fetch(`${server.url}/api/v1/keys/none`, {
        method: 'DELETE',
        headers: { 'X-NuGet-ApiKey': server.adminKey },
      });
      expect(missing.status).toBe(404);

      const rows = [...(await read(server))].filter(([row]) => row.startsWith('gwt_refusals_total'));
      expect(Object.fromEntries(rows)).toEqual({
        'gwt_refusals_total{code="KEY_INVALID"}': 2,
        'gwt_refusals_total{code="PASSWORD_INVALID"}': 1,
        'gwt_refusals_total{code="KEY_MISSING"}': 1,
      });
    } finally {
      await server.stop();
    }
  });

  it.skipIf(!hasProgram('openssl'))(
    'show when the certificate expires that is served, also after it was renewed (needs openssl)',
    async () => {
      const { certFile, keyFile } = await makePrivateAuthority(dir);
      const server = await startTestServer({ tls: { certFile, keyFile }, server: { tlsPollMs: 20 } });
      const expiry = async () => (await read(server)).get('gwt_certificate_expiry_timestamp_seconds');
      const inFile = async () => Date.parse(new X509Certificate(await readFile(certFile)).validTo) / 1000;
      try {
        const first = await inFile();
        expect(await expiry()).toBe(first);

        const renewed = ['-key', keyFile, '-subj', '/CN=127.0.0.1', '-days', '90', '-out', certFile];
        await mustRun('openssl', ['req', '-x509', ...renewed]);
        expect(await inFile()).toBeGreaterThan(first + 80 * 86_400);
        await until(async () => (await expiry()) === (await inFile()));
      } finally {
        await server.stop();
      }
    },
  );
});

describe('a database of an earlier version', () => {
  it('is not migrated by a backup, which is then not noted', async () => {
    const file = join(dir, 'earlier.db');
    const added = migrations.findIndex((step) => step.includes('CREATE TABLE last_backup'));
    const db = new Database(file);
    for (const step of migrations.slice(0, added)) db.exec(step);
    db.pragma(`user_version = ${added}`);

    expect(await noteBackupIn(file, { at: new Date(), sizeBytes: 1 })).toBe(false);
    expect(db.pragma('user_version', { simple: true })).toBe(added);
    db.close();
  });
});

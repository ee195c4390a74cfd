import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Invocation } from '../../invocation.ts';
import { createCommand as createAudit } from '../../server/verbs/audit.ts';
import { createCommand as createBackup } from '../../server/verbs/backup.ts';
import { createCommand as createClients } from '../../server/verbs/clients.ts';
import { createCommand as createExport } from '../../server/verbs/export.ts';
import { createCommand as createImport } from '../../server/verbs/import.ts';
import { createCommand as createKeys } from '../../server/verbs/keys.ts';
import { createRelist, createUnlist } from '../../server/verbs/listing.ts';
import { createCommand as createPrune } from '../../server/verbs/prune.ts';
import { createCommand as createPurge } from '../../server/verbs/purge.ts';
import { createCommand as createRings } from '../../server/verbs/rings.ts';
import { createCommand as createVerify } from '../../server/verbs/verify.ts';
import { type Cluster, canCluster, type Replica, startCluster } from '../kit/cluster.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { runVerbWith, type Said } from '../kit/operator-fixture.ts';
import { mustRun } from '../kit/programs.ts';
import { stockFeed } from '../kit/stocked-feed.ts';
import { makeTempDir, pushNupkg } from '../kit/test-server.ts';

describe.skipIf(!canCluster)('verbs beside two replicas (needs PostgreSQL and versitygw)', () => {
  let cluster: Cluster;
  let first: Replica;
  let second: Replica;
  let dir: string;
  beforeAll(async () => {
    cluster = await startCluster(2);
    [first, second] = cluster.replicas as [Replica, Replica];
    dir = await makeTempDir();
    await stockFeed(first, dir);
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });

  type Create = (invocation: Invocation) => Command;

  /** With the DATA_DIR of a running server, whose lock must not matter. */
  function operate(createCommand: Create, ...args: string[]): Promise<Said> {
    return runVerbWith(cluster.settings, createCommand, first.dataDir, ...args);
  }

  async function done(createCommand: Create, ...args: string[]): Promise<string> {
    const said = await operate(createCommand, ...args);
    expect(said).toMatchObject({ code: 0, error: undefined });
    return said.stdout;
  }

  const statusAt = async ({ url }: Replica, path: string): Promise<number> => {
    const answer = await fetch(`${url}${path}`);
    await answer.arrayBuffer();
    return answer.status;
  };

  it('make, list, rotate and revoke keys, which count at once on all replicas', async () => {
    const key = (await done(createKeys, 'add', '--name', 'pipeline', '--scope', 'push')).trim();
    for (const [at, replica] of [first, second].entries()) {
      const pushed = await pushNupkg(replica, makeNupkg({ id: 'by-key', version: `1.${at}.0` }), key);
      expect(pushed.status).toBe(201);
    }
    expect(await done(createKeys, 'list')).toContain('pipeline');

    const rotated = (await done(createKeys, 'rotate', 'pipeline')).trim();
    const again = makeNupkg({ id: 'by-key', version: '2.0.0' });
    expect((await pushNupkg(second, again, key)).status).toBe(403);
    expect((await pushNupkg(second, again, rotated)).status).toBe(201);

    await done(createKeys, 'revoke', 'pipeline');
    for (const replica of [first, second]) {
      expect((await pushNupkg(replica, makeNupkg({ id: 'by-key', version: '3.0.0' }), rotated)).status).toBe(
        403,
      );
    }
  });

  it('set and show rings and clients', async () => {
    await done(createRings, 'set', 'canary', 'pc-*');
    expect(await done(createRings, 'list')).toMatch(/canary\s+pc-\*/);
    expect(await statusAt(second, '/nuget/c/pc-1/FindPackagesById()?id=%27Sample%27')).toBe(200);
    await expect.poll(async () => await done(createClients, 'list')).toContain('pc-1');
    expect(await done(createClients, 'explain', 'pc-1')).not.toBe('');
    await done(createRings, 'remove', 'canary');
    expect(await done(createRings, 'list')).not.toContain('canary');
  });

  it('unlist, relist and purge, and every replica shows it', async () => {
    await done(createUnlist, 'Sample@1.0.0', '--reason', 'why');
    for (const { url } of [first, second]) {
      const found = await fetch(`${url}/nuget/Packages(Id='Sample',Version='1.0.0')`);
      expect(await found.text()).toContain('1900-01-01');
    }
    await done(createRelist, 'Sample@1.0.0', '--reason', 'why not');
    for (const { url } of [first, second]) {
      const found = await fetch(`${url}/nuget/Packages(Id='Sample',Version='1.0.0')`);
      expect(await found.text()).not.toContain('1900-01-01');
    }
    expect(await statusAt(second, '/nuget/package/other.tool/1.0.0')).toBe(200);
    await done(createPurge, 'other.tool@1.0.0', '--reason', 'a secret in it');
    for (const replica of [first, second])
      expect(await statusAt(replica, '/nuget/package/other.tool/1.0.0')).toBe(410);
  });

  it('prune old betas, and every replica shows it', async () => {
    for (const version of ['3.0.0-beta.1', '3.0.0-beta.2'])
      await pushNupkg(second, makeNupkg({ id: 'Sample', version }), second.adminKey);
    const flags = ['--betas', '1', '--older-than', '0s', '--id', 'sample'];

    const planned = await done(createPrune, ...flags);
    expect(planned).toContain('2 betas');
    expect(await statusAt(first, '/nuget/package/Sample/3.0.0-beta.1')).toBe(200);
    await done(createPrune, ...flags, '--yes');

    for (const replica of [first, second]) {
      expect(await statusAt(replica, '/nuget/package/Sample/2.0.0-beta.1')).toBe(410);
      expect(await statusAt(replica, '/nuget/package/Sample/3.0.0-beta.1')).toBe(410);
      expect(await statusAt(replica, '/nuget/package/Sample/3.0.0-beta.2')).toBe(200);
    }
  });

  it('import packages by the rules of a push', async () => {
    const source = await makeTempDir();
    await writeFile(join(source, 'a.nupkg'), makeNupkg({ id: 'imported', version: '1.0.0' }));

    expect(await done(createImport, source)).toContain('1');

    for (const replica of [first, second])
      expect(await statusAt(replica, '/nuget/package/imported/1.0.0')).toBe(200);
  });

  it('show and check the audit log', async () => {
    const log = await done(createAudit, 'list');
    expect(log).toContain('key revoked');
    expect(log).toContain('a secret in it');
    const verified = await done(createAudit, 'verify');
    const [, head = ''] = /elsewhere: ([0-9a-f]{64})/.exec(verified) ?? [];
    await done(createAudit, 'verify', '--head', head);
    const { code } = await operate(createAudit, 'verify', '--head', 'f'.repeat(64));
    expect(code).toBe(1);
    await done(createAudit, 'downloads', 'imported');
  });

  it('follow the audit log with the refusals of all replicas, each once, and anchor it', async () => {
    const wrong = makeNupkg({ id: 'refused', version: '1.0.0' });
    const seenAt = async ({ url, adminKey }: Replica) => {
      const answer = await fetch(`${url}/api/v1/refusals`, { headers: { 'X-NuGet-ApiKey': adminKey } });
      return ((await answer.json()) as { refusals: { number: number }[] }).refusals.map(
        ({ number }) => number,
      );
    };
    for (const replica of [first, second]) await seenAt(replica);
    const before = (await seenAt(first)).length;
    for (const [at, replica] of [first, second, first].entries()) {
      expect((await pushNupkg(replica, wrong, `no key ${at}`)).status).toBe(403);
      expect(await seenAt(replica)).toHaveLength(before + at + 1);
    }
    const state = join(dir, 'followed.json');
    const anchors = join(dir, 'anchors.jsonl');

    const lines = (await done(createAudit, 'follow', '--once', '--state', state)).trim().split('\n');

    const found = lines.map((line) => JSON.parse(line) as { log: string; number: number; code?: string });
    const numbersOf = (log: string) => found.filter((one) => one.log === log).map(({ number }) => number);
    expect(numbersOf('refusals')).toEqual(await seenAt(second));
    expect(new Set(numbersOf('refusals')).size).toBe(before + 3);
    expect(numbersOf('audit')).toEqual(numbersOf('audit').map((_number, at) => at + 1));
    expect(await done(createAudit, 'follow', '--once', '--state', state)).toBe('');
    await done(createAudit, 'anchor', '--to', anchors);
    expect(await done(createAudit, 'verify', '--anchors', anchors)).toContain('all anchors of the file: 1');
  });

  it('verify every byte, export, and back up', async () => {
    expect(await done(createVerify)).toContain('all is well');
    const folder = join(dir, 'export');
    await done(createExport, folder);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(['bucket.bundle', 'Sample.1.0.0.nupkg']));
    await mustRun('git', ['clone', '--quiet', join(folder, 'bucket.bundle'), join(dir, 'exported-bucket')]);
    expect(await readdir(join(dir, 'exported-bucket', 'bucket'))).toContain('buf.json');
    const report = JSON.parse(await done(createBackup, join(dir, 'feed.tar'), '--json'));
    expect(report).toMatchObject({ payloads: 1, isVerified: true, missing: [] });

    for (const { url } of [first, second]) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const noted = /^gwt_backup_last_timestamp_seconds (.+)$/m.exec(metrics)?.[1];
      expect(Number(noted) * 1000).toBe(Date.parse(report.time));
      expect(metrics).toMatch(/^gwt_blob_cache_limit_bytes [1-9]/m);
      expect(metrics).toContain('gwt_collector_runs_total{outcome="failed"} 0\n');
    }
  });

  it('find bytes that are gone, and say when the store itself is away', async () => {
    const { postgres, s3, settings } = cluster;
    const [bucket, prefix] = (settings.BLOB_STORE ?? '').slice('s3://'.length).split('/');
    const sha256 = await postgres.sql(
      "SELECT sha256 FROM packages WHERE id_key = 'sample' AND version = '1.1.0'",
    );
    const Key = `${prefix}/${sha256.slice(0, 2)}/${sha256}`;
    await s3.client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));

    const damaged = await operate(createVerify);
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toContain('Sample 1.1.0: its bytes are missing');
    expect((await operate(createBackup, join(dir, 'broken.tar'))).code).toBe(1);

    // Put back as the verb says.
    const Body = makeNupkg({ id: 'Sample', version: '1.1.0' });
    await s3.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    expect((await operate(createVerify)).code).toBe(0);

    const pack = await postgres.sql('SELECT pack_sha256 FROM bucket_pushes ORDER BY generation LIMIT 1');
    const packAt = { Bucket: bucket, Key: `${prefix}/${pack.slice(0, 2)}/${pack}` };
    const { Body: kept } = await s3.client.send(new GetObjectCommand(packAt));
    const packBytes = (await kept?.transformToByteArray()) ?? new Uint8Array();
    await s3.client.send(new DeleteObjectCommand(packAt));
    const broken = await operate(createVerify);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain(`repo.git: No object ${packAt.Key}`);
    const unsaved = await operate(createBackup, join(dir, 'broken.tar'));
    expect(unsaved.error).toMatchObject({ code: 'BUCKET_OBJECT_DAMAGED' });
    await s3.client.send(new PutObjectCommand({ ...packAt, Body: packBytes }));
    expect((await operate(createVerify)).code).toBe(0);

    await s3.pause();
    expect((await operate(createVerify)).error?.message).toContain('cannot be reached');
    await s3.resume();
  });

  it('leave nothing behind in the temporary folder, and no lock', async () => {
    const [before, temporary] = [process.env.TMPDIR, await makeTempDir()];
    process.env.TMPDIR = temporary;
    try {
      await done(createKeys, 'list');
      await done(createExport, join(dir, 'another'), '--id', 'Sample');
      expect(await readdir(temporary)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
    expect(await first.stop()).toBe(0);
    await first.start();
  });

  it('read no database without a feed, and make no tables there', async () => {
    const url = await cluster.postgres.newDatabase();
    const env = { ...cluster.settings, DATABASE_URL: url };
    for (const [createCommand, ...args] of [
      [createVerify],
      [createBackup, join(dir, 'none.tar')],
      [createKeys, 'list'],
      [createUnlist, 'Sample@1.0.0', '--reason', 'why'],
    ] as const) {
      const said = await runVerbWith(env, createCommand, dir, ...args);
      expect(said.error).toMatchObject({ code: 'DATABASE_EMPTY' });
    }
    expect(
      await cluster.postgres.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", url),
    ).toBe('0');
  });
});

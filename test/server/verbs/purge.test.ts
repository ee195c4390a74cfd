import { statSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { operator } from '../../../server/audit/audit.ts';
import { lockBlobs } from '../../../server/data-dir.ts';
import { createCommand as createBackup } from '../../../server/verbs/backup.ts';
import { createCommand as createImport } from '../../../server/verbs/import.ts';
import { createRelist, createUnlist } from '../../../server/verbs/listing.ts';
import { createCommand as createPurge } from '../../../server/verbs/purge.ts';
import { createCommand as createRestore } from '../../../server/verbs/restore.ts';
import { makeNupkg } from '../../kit/nupkg.ts';
import { runVerb, type Said } from '../../kit/operator-fixture.ts';
import {
  adminKey,
  makeKey,
  makeTempDir,
  pushNupkg,
  startTestServer,
  type TestServer,
} from '../../kit/test-server.ts';

const secret = 'AKIA-A-SECRET-THAT-LEAKED';
const admin = { 'X-NuGet-ApiKey': adminKey };
let dataDir: string;
let server: TestServer;
beforeEach(async () => {
  dataDir = await makeTempDir();
  server = await startTestServer({ dataDir });
});
afterEach(async () => {
  await server.stop();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

const purge = (...args: string[]): Promise<Said> =>
  runVerb(createPurge, dataDir, ...args, '--reason', 'a leaked key');
const statusOf = async (path: string, init: RequestInit = {}): Promise<number> =>
  (await fetch(`${server.url}${path}`, init)).status;
const nupkg = (version: string, description = 'A tool.'): Buffer =>
  makeNupkg({ id: 'leaky', version, metadata: { description } });

async function push(version: string, description?: string): Promise<number> {
  return (await pushNupkg(server, nupkg(version, description), adminKey)).status;
}

async function putPayload(version: string, bytes: string, file = 'leaky-windows-amd64.exe'): Promise<number> {
  return statusOf(`/dl/leaky/${version}/${file}`, { method: 'PUT', headers: admin, body: bytes });
}

/** Every byte of every file in the data folder, one after the other. */
async function bytesOnDisk(): Promise<string> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const all = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return all.join('\n');
}

async function kinds(): Promise<unknown[]> {
  const entries = await server.services.audit.list({ limit: 1000 });
  return entries
    .filter(({ change }) => change.kind.endsWith('purged'))
    .map(({ change, by }) => [
      change.kind,
      change.subject,
      change.version,
      change.file,
      change.detail,
      by.keyName,
    ]);
}

describe('feed:purge', () => {
  it.each(['alone', 'through the running server'])(
    'removes a version at every address and from the disk, for good, %s',
    async (way) => {
      expect(await push('1.0.0')).toBe(201);
      expect(await push('2.0.0', `It says ${secret}.`)).toBe(201);
      expect(await putPayload('2.0.0', `exe with ${secret}`)).toBe(201);
      // Answers that are kept in memory.
      await statusOf('/nuget/package/leaky/2.0.0');
      await statusOf('/nuget/package/leaky/2.0.0');
      expect(await bytesOnDisk()).toContain(secret);
      if (way === 'alone') await server.stop();

      const said = await purge('LEAKY@2.0');

      expect(said.error).toBeUndefined();
      expect(said.stdout).toContain('leaky 2.0.0');
      expect(said.stdout).toContain('dl/leaky/2.0.0/leaky-windows-amd64.exe');
      expect(said.stdout).toContain('Backups');
      expect(await bytesOnDisk()).not.toContain(secret);
      if (way === 'alone') server = await startTestServer({ dataDir });
      for (const path of [
        '/nuget/package/leaky/2.0.0',
        '/api/v2/package/Leaky/2.0.0.0',
        '/v3/flat/leaky/2.0.0/leaky.2.0.0.nupkg',
        '/v3/flat/leaky/2.0.0/leaky.nuspec',
        '/dl/leaky/2.0.0/leaky-windows-amd64.exe',
        '/dl/leaky/2.0.0/leaky-windows-amd64.exe.sha256',
        '/m/leaky/2.0.0/leaky.json',
      ]) {
        expect(`${path} ${await statusOf(path)}`).toBe(`${path} 410`);
      }
      expect(await statusOf("/nuget/Packages(Id='leaky',Version='2.0.0')")).toBe(404);
      expect(await statusOf('/nuget/package/leaky')).toBe(200);
      for (const path of [
        "/nuget/FindPackagesById()?id='leaky'&semVerLevel=2.0.0",
        '/nuget/Packages()',
        '/v3/search?q=leaky',
        '/v3/flat/leaky/index.json',
        '/v3/reg/leaky/index.json',
        '/packages/leaky',
      ]) {
        expect(await (await fetch(`${server.url}${path}`)).text(), path).not.toContain('2.0.0');
      }
      expect(await (await fetch(`${server.url}/nuget/Packages()/$count`)).text()).toBe('1');
      expect(await push('2.0.0', 'Something else.')).toBe(410);
      expect(await putPayload('2.0.0', 'other bytes')).toBe(410);
      expect(await statusOf('/nuget/package/leaky/2.0.0', { method: 'POST', headers: admin })).toBe(410);
      const by = 'operator';
      expect(await kinds()).toEqual([
        ['package purged', 'leaky', '2.0.0', undefined, 'a leaked key', by],
        ['payload purged', 'leaky', '2.0.0', 'leaky-windows-amd64.exe', 'a leaked key', by],
      ]);
      const again = await purge('leaky@2.0.0');
      expect(again.stdout).toContain('was purged before');
      expect(await push('2.0.1')).toBe(201);
    },
  );

  it('leaves bytes that others name, and says whose they are', async () => {
    expect(await putPayload('1.0.0-beta.1', 'the same exe')).toBe(201);
    expect(await putPayload('1.0.0', 'the same exe')).toBe(201);

    const { stdout } = await purge('leaky@1.0.0-beta.1', '--json');

    const report = JSON.parse(stdout) as { kept: { names: string[] }[] };
    expect(report.kept.map(({ names }) => names)).toEqual([['dl/leaky/1.0.0/leaky-windows-amd64.exe']]);
    expect(await (await fetch(`${server.url}/dl/leaky/1.0.0/leaky-windows-amd64.exe`)).text()).toBe(
      'the same exe',
    );
    await purge('leaky@1.0.0');
    expect(await bytesOnDisk()).not.toContain('the same exe');
  });

  it('removes nothing that never existed, and requires a version and a reason', async () => {
    const unknown = await purge('nobody@1.0.0');
    const malformed = await purge('leaky');
    const mute = await runVerb(createPurge, dataDir, 'leaky@1.0.0');
    const blank = await runVerb(createPurge, dataDir, 'leaky@1.0.0', '--reason', ' \u001b ');

    expect(unknown.code).toBe(1);
    expect(unknown.error?.message).toContain('This feed has no package nobody 1.0.0');
    expect([malformed.code, mute.code, blank.code]).toEqual([2, 2, 2]);
  });

  it('removes the bytes once the backup has ended that reads them; nobody gets them meanwhile', async () => {
    expect(await putPayload('1.0.0', `exe with ${secret}`)).toBe(201);
    const unlock = lockBlobs(dataDir, 'reading');

    const { stdout } = await purge('leaky@1.0.0');

    expect(stdout).toContain('still on the disk');
    expect(await statusOf('/dl/leaky/1.0.0/leaky-windows-amd64.exe')).toBe(410);
    expect(await bytesOnDisk()).toContain(secret);
    unlock?.();
    // As the next start does it, whether the server was stopped or killed.
    await server.stop();
    server = await startTestServer({ dataDir });
    expect(await bytesOnDisk()).not.toContain(secret);
  });

  it('needs the scope admin', async () => {
    await push('1.0.0');
    const key = await makeKey(server, ['push', 'unlist']);

    const answer = await statusOf('/api/v1/purges', {
      method: 'POST',
      headers: { 'X-NuGet-ApiKey': key, 'Content-Type': 'application/json' },
      body: JSON.stringify({ id: 'leaky', version: '1.0.0', reason: 'I want to' }),
    });

    expect(answer).toBe(403);
    expect(await statusOf('/nuget/package/leaky/1.0.0')).toBe(200);
  });

  it('cannot be circumvented by an import', async () => {
    await push('1.0.0');
    await purge('leaky@1.0.0');
    const dir = join(dataDir, '..', `${Date.now()}-import`);
    await import('node:fs/promises').then(({ mkdir }) => mkdir(dir));
    await writeFile(join(dir, 'leaky.nupkg'), nupkg('1.0.0'));

    const beside = await runVerb(createImport, dataDir, dir, '--json');
    await server.stop();
    const alone = await runVerb(createImport, dataDir, dir, '--json');
    server = await startTestServer({ dataDir });
    await rm(dir, { recursive: true });

    for (const { stdout, code } of [beside, alone]) {
      expect(code).toBe(1);
      expect(stdout).toContain('"refused"');
      expect(stdout).toContain('deleted for good');
    }
    expect(await statusOf('/nuget/package/leaky/1.0.0')).toBe(410);
  });

  it('is not undone by restoring an older backup', async () => {
    await push('1.0.0', `It says ${secret}.`);
    await push('2.0.0');
    await putPayload('1.0.0', `exe with ${secret}`);
    const file = join(dataDir, '..', `${Date.now()}.tar`);
    const saved = await runVerb(createBackup, dataDir, file);
    await push('3.0.0');
    await purge('leaky@1.0.0');
    await purge('leaky@3.0.0');
    await server.stop();

    const restored = await runVerb(createRestore, dataDir, file, '--replace');
    server = await startTestServer({ dataDir });
    await rm(file);

    expect([saved.error, restored.error]).toEqual([undefined, undefined]);
    expect(restored.stderr).toContain('Purged again');
    expect(await statusOf('/nuget/package/leaky/1.0.0')).toBe(410);
    expect(await statusOf('/nuget/package/leaky/2.0.0')).toBe(200);
    expect(await bytesOnDisk()).not.toContain(secret);
    expect(await push('3.0.0')).toBe(410);
  });

  it('brings back neither a key that was revoked since, nor the secret before a rotation', async () => {
    const idOf = async (key: string): Promise<string> => {
      const answer = await fetch(`${server.url}/api/v1/key`, { headers: { 'X-NuGet-ApiKey': key } });
      return ((await answer.json()) as { id: string }).id;
    };
    const stateOf = async (key: string): Promise<string> => {
      const answer = await fetch(`${server.url}/api/v1/key`, { headers: { 'X-NuGet-ApiKey': key } });
      return answer.ok ? 'good' : ((await answer.json()) as { code: string }).code;
    };
    const leaked = await makeKey(server, ['push']);
    const before = await makeKey(server, ['push']);
    const kept = await makeKey(server, ['push']);
    const file = join(dataDir, '..', `${Date.now()}-keys.tar`);
    const saved = await runVerb(createBackup, dataDir, file);
    await statusOf(`/api/v1/keys/${await idOf(leaked)}`, { method: 'DELETE', headers: admin });
    const rotated = await fetch(`${server.url}/api/v1/keys/${await idOf(before)}/rotate`, {
      method: 'POST',
      headers: admin,
    });
    const { key: after } = (await rotated.json()) as { key: string };
    const newer = join(dataDir, '..', `${Date.now()}-newer.tar`);
    await runVerb(createBackup, dataDir, newer);
    const states = async () => Promise.all([leaked, before, after, kept].map(stateOf));
    const expected = ['KEY_REVOKED', 'KEY_ROTATED', 'good', 'good'];
    expect(await states()).toEqual(expected);
    await server.stop();

    const restored = await runVerb(createRestore, dataDir, file, '--replace');
    server = await startTestServer({ dataDir });
    const older = await states();
    await server.stop();
    const again = await runVerb(createRestore, dataDir, newer, '--replace');
    server = await startTestServer({ dataDir });
    await rm(file);
    await rm(newer);

    expect([saved.error, restored.error, again.error]).toEqual([undefined, undefined, undefined]);
    expect(older).toEqual(expected);
    expect(await states()).toEqual(expected);
    expect(restored.stderr).toContain('Keys revoked or rotated again, as in the folder that was there: 2.');
    expect(again.stderr).not.toContain('again');
  });

  it('leaves nothing of a push that came too late', async () => {
    await push('1.0.0');
    await purge('leaky@1.0.0');
    const { blobs, payloads, purging } = server.services;
    const upload = await blobs.receive(Readable.from([Buffer.from(`late ${secret}`)]), 1000);
    const { sha256, sizeBytes } = upload.digest;
    await upload.commit();
    const row = {
      tool: 'leaky',
      version: '1.0.0',
      file: 'leaky.exe',
      sha256,
      sizeBytes,
      created: new Date(),
    };

    expect(await payloads.add(row, operator)).toBe('purged');
    expect(await purging.sweep()).toBe(false);
    await upload.discard();

    expect(await purging.sweep()).toBe(true);
    expect(await bytesOnDisk()).not.toContain(secret);
  });

  it('does not clean the whole database again because the write-ahead log is still being read', async () => {
    await push('1.0.0', `It says ${secret}.`);
    const reader = new Database(join(dataDir, 'catalog.db'), { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM packages').get();
    const size = (): number => statSync(join(dataDir, 'catalog.db-wal')).size;

    const { stdout } = await purge('leaky@1.0.0');
    const before = size();
    const isDone = await server.services.purging.sweep();

    expect(stdout).toContain('still on the disk');
    expect([isDone, size()]).toEqual([false, before]);
    reader.close();
    expect(await server.services.purging.sweep()).toBe(true);
    expect(await bytesOnDisk()).not.toContain(secret);
  });

  it('loses nothing of simultaneous pushes of the same bytes', async () => {
    const versions = Array.from({ length: 8 }, (_one, n) => `1.0.${n}`);
    for (const round of versions) {
      expect(await putPayload(round, 'bytes of many')).toBe(201);
      const [purged, other] = await Promise.all([
        purge(`leaky@${round}`),
        putPayload(`2.0.${round.at(-1)}`, 'bytes of many'),
      ]);

      expect([purged.code, other]).toEqual([0, 201]);
      const answer = await fetch(`${server.url}/dl/leaky/2.0.${round.at(-1)}/leaky-windows-amd64.exe`);
      expect(await answer.text()).toBe('bytes of many');
      await purge(`leaky@2.0.${round.at(-1)}`);
    }
    expect(await bytesOnDisk()).not.toContain('bytes of many');
  });
});

describe('feed:unlist and feed:relist', () => {
  it.each(['alone', 'through the running server'])(
    'hide and show a version, with the reason, %s',
    async (way) => {
      await push('1.0.0');
      await push('2.0.0');
      if (way === 'alone') await server.stop();
      const long = `because\n\u001b[31m${'x'.repeat(100_000)}`;

      const hidden = await runVerb(createUnlist, dataDir, 'leaky@2.0.0', '--reason', long);
      if (way === 'alone') server = await startTestServer({ dataDir });
      const latest = await (await fetch(`${server.url}/v3/search?q=leaky`)).text();
      if (way === 'alone') await server.stop();
      const shown = await runVerb(createRelist, dataDir, 'leaky@2.0.0', '--reason', 'a mistake, sorry: é');
      if (way === 'alone') server = await startTestServer({ dataDir });

      expect([hidden.code, shown.code]).toEqual([0, 0]);
      expect(hidden.stdout).toBe('leaky 2.0.0 is unlisted.\n');
      expect(latest).not.toContain('2.0.0');
      const entries = (await server.services.audit.list({ limit: 100 }))
        .slice(-2)
        .map(({ change }) => change);
      expect(entries).toMatchObject([
        { kind: 'package unlisted', version: '2.0.0', detail: `because [31m${'x'.repeat(488)}` },
        { kind: 'package listed again', version: '2.0.0', detail: 'a mistake, sorry: é' },
      ]);
    },
  );

  it('report a missing version', async () => {
    const { code, error } = await runVerb(createUnlist, dataDir, 'leaky@9.0.0', '--reason', 'no');

    expect(code).toBe(1);
    expect(error?.message).toContain('This feed has no package leaky 9.0.0');
  });
});

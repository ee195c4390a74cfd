import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../../server/database/migrations.ts';
import { cli } from '../kit/cli.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { mustRun } from '../kit/programs.ts';
import { makeTempDir, pushNupkg, startTestServer } from '../kit/test-server.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'upgrade');
const keyOfThen = 'gwt_gDnGoj-_FwfX8SFePBWovRh2UUCiMXwfAG-sAnMBtH0';
const commitOfThen = '406137911085b307af6805493154f58db4fc1924';

let dir: string;
let dataDir: string;
beforeEach(async () => {
  dir = await makeTempDir();
  dataDir = join(dir, 'data');
  await mkdir(dataDir);
  await mustRun('tar', ['xzf', join(fixtures, 'data-0.1.0.tgz'), '-C', dataDir]);
});
afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

function schemaOf(folder: string): number {
  const db = new Database(join(folder, 'catalog.db'));
  try {
    return Number(db.pragma('user_version', { simple: true }));
  } finally {
    db.close();
  }
}

describe('an upgrade from 0.1.0', () => {
  it('keeps packages, listing, keys, bucket, audit log and what was purged', async () => {
    const server = await startTestServer({ dataDir });
    try {
      expect(schemaOf(dataDir)).toBe(migrations.length);
      expect(server.logged()).toMatch(
        /"from":10,"to":\d+,"msg":"the database has the schema of this version now"/,
      );
      const list = await (await fetch(`${server.url}/nuget/Packages()?semVerLevel=2.0.0`)).text();
      const listed = [...list.matchAll(/<d:Version>([^<]+)<\/d:Version>[\s\S]*?<d:Listed[^>]*>([^<]+)/g)];
      expect(listed.map(([, version, is]) => `${version} ${is}`).toSorted()).toEqual([
        '1.0.0 true',
        '1.1.0 false',
        '1.2.0+build.5 true',
        '2.0.0-beta.1 true',
      ]);
      expect((await fetch(`${server.url}/nuget/package/Sample/1.1.0`)).status).toBe(200);
      expect((await fetch(`${server.url}/nuget/package/other.tool/1.0.0.0`)).status).toBe(410);
      const payload = '/dl/buf/1.32.0/buf-windows-amd64.exe';
      expect((await fetch(server.url + payload)).status).toBe(200);
      const refs = await mustRun('git', ['ls-remote', `${server.url}/git/main/go-win-tools.git`]);
      expect(refs).toContain(`${commitOfThen}\trefs/heads/main`);
      const pushed = await pushNupkg(server, makeNupkg({ id: 'Sample', version: '3.0.0' }), keyOfThen);
      expect(pushed.status).toBe(201);
    } finally {
      await server.stop();
    }

    const audit = await cli({ DATA_DIR: dataDir }, 'feed:audit', 'verify');
    expect(audit).toMatchObject({ code: 0, stdout: expect.stringContaining('intact: 13 entries') });
    const verified = await cli({ DATA_DIR: dataDir }, 'feed:verify');
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('all is well') });
  });

  it('takes the backup that the program of then made, for the way back and for the drill', async () => {
    const into = join(dir, 'restored');

    const restored = await cli({}, 'feed:restore', join(fixtures, 'backup-0.1.0.tgz'), '--into', into);

    expect(restored.code, restored.stderr).toBe(0);
    const verified = await cli({ DATA_DIR: into }, 'feed:verify');
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('all is well') });
  });

  it('is made by any verb that opens the folder, so that the backup for the way back comes first', async () => {
    const before = schemaOf(dataDir);

    await cli({ DATA_DIR: dataDir }, 'feed:keys', 'list');

    expect(before).toBe(10);
    expect(schemaOf(dataDir)).toBe(migrations.length);
  });
});
